"""Training that begins with a trained model: which one, what it decides, what is taken over."""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from posenb import storage
from posenb.core import Labels, ModelConfig, ModelDescription, Skeleton, TrainConfig
from posenb.core import match_keypoints as match
from posenb.errors import TrainingError, TrainingWarning
from posenb.models import HEADS, load_network, read_description
from posenb.project import Run
from posenb.training.device import seeded
from posenb.training.sizing import body_length

__all__ = ["Start", "find_start", "pin_start", "take_weights", "tell_unmatched"]

ZOO = "zoo:"
_MODEL = "model.keras"  # in the folder of a model of the zoo, as in that of a run
_NATIVE = 1.12  # nearer to the size that the start knows than this is that size
_LARGEST = 4.0


@dataclass(frozen=True, slots=True)
class Start:
    """A model from which training begins.

    Parameters
    ----------
    told : str
        As the config of the run tells it: ``zoo:<name>``, a URL, or a path below the project.
    path : Path
        Local copy of its ``.keras`` file.
    sha256 : str
        Of that file.
    description : ModelDescription
        What it says of itself.
    """

    told: str
    path: Path
    sha256: str
    description: ModelDescription


def find_start(told: str, project_url: str, sha256: str | None = None) -> Start:
    """Bring the file of a model here.

    Parameters
    ----------
    told : str
        ``zoo:<name>``, ``zoo:<folder of a model with its card>``, the URL of a finished run or
        of a ``.keras`` file, or a path below the project.
    project_url : str
    sha256 : str, optional
        What the file must have.

    Returns
    -------
    Start

    Raises
    ------
    TrainingError
        If there is no such run, or it is not finished, or its model is not the one it was.
    ZooError, UnknownNameError
        If the zoo has no such model, or it was altered.
    ModelError
        If the file is no model of posenb's.
    """
    if told.startswith(ZOO):
        import posenb  # whose table of names leads to the rooms above

        model = told.removeprefix(ZOO)
        model = storage.resolve(model) if "/" in model or os.sep in model else model
        told, path = f"{ZOO}{model}", posenb.zoo.fetch(model) / _MODEL
    else:
        url = _model_url(told, project_url)
        if not storage.exists(url):
            raise TrainingError(
                f"Training starts from the model of a finished run, or of the zoo; {url} is not "
                f"there. Train that run to its end, or name a model of the zoo as "
                f"{ZOO}mouse_openfield (pn.zoo.list() has them all)."
            )
        below = storage.relative(url, project_url)
        told = (below or url).removesuffix(f"/{_MODEL}")
        path = storage.cached_copy(url)
    found = storage.digest(path)
    if sha256 not in (None, found):
        raise TrainingError(
            f"A run keeps the model from which it started, with SHA-256 {sha256}; {told} now has "
            f"{found}. Bring the old one back, or train under another name."
        )
    return Start(told, path, found, read_description(path))


def _model_url(told: str, project_url: str) -> str:
    whole = Path(told).is_absolute() or "://" in told
    for url in () if whole else (storage.join(project_url, told),):
        if storage.exists(url) or storage.is_folder(url):
            return _file_of(url)
    return _file_of(storage.resolve(told))


def _file_of(url: str) -> str:
    return url if url.endswith(".keras") else Run(url).model_url


def pin_start(
    config: TrainConfig, labels: Labels, project_url: str, before: TrainConfig | None = None
) -> TrainConfig:
    """Write out in a config all that the model decides from which training begins.

    The network has its shape and sees animals as large as it knows them: where all of its
    keypoints are labelled, the labels tell how much larger or smaller they are here.

    Parameters
    ----------
    config : TrainConfig
    labels : Labels
        Those that train.
    project_url : str
    before : TrainConfig, optional
        Of the run that shall go on; its scale stays.

    Returns
    -------
    TrainConfig
        As it is, if it has no start.

    Raises
    ------
    TrainingError
        If the config wants another shape than that of the model, and as `find_start`.
    UnknownNameError, InvalidInputError
        If `start_keypoints` names a keypoint that does not exist, or one twice.
    """
    if config.start is None:
        return config
    start = find_start(config.start, project_url, config.start_sha256)
    learned = start.description
    matched = match(labels.skeleton.keypoints, learned.keypoints, config.start_keypoints)
    scale = config.scale
    if scale == "auto" and before is not None and before.start_sha256 == start.sha256:
        scale = before.scale
    if scale == "auto":
        scale = _scale_for(labels, learned, matched)
    return config.replace(
        model=_shape(config.model, start),
        scale=scale,
        start=start.told,
        start_keypoints=matched,
        start_sha256=start.sha256,
    )


def _shape(wanted: ModelConfig, start: Start) -> ModelConfig:
    shape = start.description.config.model.replace(weights=None)
    other = [
        f"{name} is {getattr(shape, name)!r} and not {getattr(wanted, name)!r}"
        for name in sorted(wanted.model_fields_set)
        if getattr(wanted, name) != getattr(shape, name)
    ]
    if other:
        raise TrainingError(
            "A network that starts from a trained one has its shape, and all of its weights; that "
            f"of {start.told}: {'; '.join(other)}. Leave these options out, or start from another "
            "model."
        )
    return shape


def _scale_for(labels: Labels, learned: ModelDescription, matched: dict[str, str]) -> float:
    """Return the scale at which the labelled animals are as large as those of the model."""
    if learned.body_length is None or set(matched.values()) != set(learned.keypoints):
        return learned.scale
    places = [labels.skeleton.index(name) for name in matched]
    own = Labels(labels.frames, labels.positions[:, :, places], Skeleton(tuple(matched)))
    size = body_length(own) / learned.body_length
    if math.isnan(size) or size == 0 or 1 / _NATIVE < size < _NATIVE:
        return learned.scale
    return min(round(learned.scale / size, 3), _LARGEST)


def tell_unmatched(config: TrainConfig, keypoints: tuple[str, ...]) -> None:
    """Warn of keypoints that begin from nothing, as the start does not know them."""
    new = [name for name in keypoints if name not in config.start_keypoints]
    if config.start is not None and new:
        begin = "begins" if len(new) == 1 else "begin"
        warnings.warn(
            f"{config.start} knows {len(keypoints) - len(new)} of the {len(keypoints)} keypoints; "
            f"{', '.join(new)} {begin} from nothing. If it knows them under other names, give "
            'these as start_keypoints={"own name": "its name"}.',
            TrainingWarning,
            stacklevel=3,
        )


def take_weights(network: keras.Model, start: Start, config: TrainConfig, own: Skeleton) -> None:
    """Copy what the start has learned into a new network of its shape.

    Only weights are read of its file; the layers are posenb's own. Channels of keypoints that
    it does not know stay as they are.

    Parameters
    ----------
    network : keras.Model
        From `posenb.models.build_network`; changed in place.
    start : Start
    config : TrainConfig
        With the matched keypoints.
    own : Skeleton
        Keypoints of the network.

    Raises
    ------
    ModelError
        If the file does not hold the weights that it should.
    """
    with seeded(config.seed):  # the new values are replaced; the user's random state stays
        learned = load_network(start.path)
    known = start.description.skeleton
    pairs = [(own.index(a), known.index(b)) for a, b in config.start_keypoints.items()]
    for layer in network.layers:
        weights = learned.get_layer(layer.name).get_weights()
        if layer.name in HEADS:
            weights = _channels(layer.get_weights(), weights, pairs, HEADS[layer.name])
        layer.set_weights(weights)


def _channels(
    weights: list[np.ndarray], learned: list[np.ndarray], pairs: list[tuple[int, int]], each: int
) -> list[np.ndarray]:
    """Return weights of a head of which some keypoints, of `each` channels, are replaced."""
    made = [np.array(array) for array in weights]
    for array, source in zip(made, learned, strict=True):
        for mine, theirs in pairs:
            array[..., mine * each : (mine + 1) * each] = source[
                ..., theirs * each : (theirs + 1) * each
            ]
    return made
