"""The verb `zoo.analyze`: from a video to poses, without labels, training or a project."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import AnalyzeConfig, FrameFormat, Poses, Skeleton
from posenb.errors import InvalidInputError
from posenb.inference.analyze import analyze as analyze_video
from posenb.inference.model import find_model
from posenb.inference.record import write_analysis
from posenb.inference.runtimes import choose_runtime
from posenb.inference.target import Target, whole_crop, whole_range
from posenb.inference.variants import Variants
from posenb.video import open_video
from posenb.zoo.card import KERAS, NETWORK, Card
from posenb.zoo.fetching import fetch_member
from posenb.zoo.index import Member, find_member
from posenb.zoo.sizing import STEPS, Sighting, Size, find_size, see

__all__ = [
    "analyze",
    "choose_keypoints",
    "measure",
    "model_file",
    "predict_at",
    "sample_frames",
]

Keypoints = Sequence[str] | Mapping[str, str]

META, WHOLE = "meta.json", "all_keypoints"
_FRAMES = 8
_SMALLEST, _LARGEST = 48, 6e6  # side and area that the network sees while sizes are tried, pixels


def analyze(
    video: storage.Url,
    model: storage.Url,
    *,
    size: float | None = None,
    keypoints: Keypoints | None = None,
    config: AnalyzeConfig | None = None,
    output: storage.Url | None = None,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> Poses:
    """Find the keypoints of an animal in a video with a model of the zoo.

    The animal may be larger or smaller in the picture than those that the model learned
    from: on a few frames it is tried at several sizes, and the one of which the model is
    surest counts. The files are those of `posenb.analyze`, with a part ``zoo`` in
    ``meta.json`` that names the model and the size; stopped and called again, it goes on.

    Parameters
    ----------
    video : str or PathLike
        Path or URL.
    model : str or PathLike
        A name, as `posenb.zoo.list` has them, or the folder of a model.
    size : float, optional
        Length of the animal relative to those that the model learned from, 0.25 to 4;
        0.5 for a clip of half the width. Found automatically by default.
    keypoints : sequence of str or mapping of str to str, optional
        Those to keep; with a mapping, under which new names. All of them by default.
    config : AnalyzeConfig, optional
    output : str or PathLike, optional
        Folder for the files; by default ``<video>_poses/<name of the model>/`` beside the
        video, so that each model has its own. Where that has poses of another model or version
        of this name, the first digits of the card's SHA-256 are added to the name.
    progress : callable, optional
        Makes the progress bars; they count sizes and frames.
    **options
        Fields of `AnalyzeConfig`, such as ``start=100`` or ``crop=(0, 320, 0, 240)``.

    Returns
    -------
    Poses
        Its `provenance` tells the model and the size under ``"zoo"``.

    Raises
    ------
    UnknownNameError
        If there is no such model, or it has no such keypoint.
    ZooError
        If the model was altered.
    InvalidInputError
        If the size is out of range, or two keypoints get one name.
    AnalysisError, ConfigError, VideoError, StorageError, ModelError
        As `posenb.analyze`.
    """
    chosen = AnalyzeConfig(**options) if config is None else config.replace(**options)
    if size is not None and not STEPS[0] <= size <= STEPS[-1]:
        raise InvalidInputError(
            f"The size of the animal is {STEPS[0]:g} to {STEPS[-1]:g} times that of training; got "
            f"{size}. Leave it out to have it found, or scale the video."
        )
    member = find_member(model)
    names = _chosen_names(member.card, keypoints)
    file = model_file(fetch_member(member), chosen)
    told = _told(member, video)
    place = _place(video, told) if output is None else storage.resolve(output)
    found = Size(size, float("nan")) if size is not None else _remembered(place, told, chosen)
    if found is None:
        frames = sample_frames(video, chosen)
        found = measure(file, frames, member.card, chosen, progress)
    sized = chosen.replace(scales=tuple(_in_range(each / found.value) for each in chosen.scales))
    story = {**told, "size": _size_story(found, given=size is not None, config=chosen)}
    if names is None:
        poses = analyze_video(file, video, config=sized, output=place, progress=progress)
        return _annotated(poses, place, story)
    inner = storage.join(place, WHOLE)
    whole = analyze_video(file, video, config=sized, output=inner, progress=progress)
    poses = choose_keypoints(whole, names)
    return write_analysis(place, poses, _chosen_story(whole, poses, {**story, "keypoints": names}))


def measure(
    file: Path, frames: np.ndarray, card: Card, config: AnalyzeConfig, progress: Progress
) -> Size:
    """Find how large the animal in some frames is.

    Parameters
    ----------
    file : Path
        The model.
    frames : ndarray of uint8, shape (N, H, W, 3)
        RGB.
    card : Card
        Of the model.
    config : AnalyzeConfig
        Runtime and precision count.
    progress : Progress

    Returns
    -------
    Size
    """
    height, width = frames.shape[1:3]
    scale = find_model(file, runtime=config.runtime, precision=config.precision).description.scale
    with progress(None, "Measuring the animal", "size") as bar:

        def look(size: float) -> Sighting | None:
            factor = scale / size
            small = min(height, width) * factor < _SMALLEST
            if size != 1 and (small or height * width * factor**2 > _LARGEST):
                return None
            seen = see(predict_at(file, frames, size, config))
            bar.advance(1, size=f"{size:.2g}", likelihood=f"{seen.likelihood:.2f}")
            return seen

        return find_size(look, card.body_length)


def predict_at(file: Path, frames: np.ndarray, size: float, config: AnalyzeConfig) -> np.ndarray:
    """Find the keypoints in some frames whose animals are of a known size.

    Parameters
    ----------
    file : Path
        The model.
    frames : ndarray of uint8, shape (N, H, W, 3)
        RGB.
    size : float
        Of the animals, relative to those that the model learned from.
    config : AnalyzeConfig
        Runtime and precision count.

    Returns
    -------
    ndarray, shape (N, K, 3)
        x, y in pixels of the frames, and likelihood.
    """
    variants = Variants(scales=(1 / size,))
    model = find_model(file, runtime=config.runtime, precision=config.precision, variants=variants)
    predict = model.predict(FrameFormat("rgb", *frames.shape[1:3]), 1)
    return np.concatenate([predict(frame.reshape(1, -1)) for frame in frames])


def choose_keypoints(poses: Poses, names: Mapping[str, str]) -> Poses:
    """Return poses of some keypoints under new names.

    Parameters
    ----------
    poses : Poses
    names : mapping of str to str
        New names by old ones, in the order wanted.
    """
    places = [poses.skeleton.index(name) for name in names]
    edges = [
        (names[a], names[b]) for a, b in poses.skeleton.edge_names if a in names and b in names
    ]
    return replace(
        poses,
        positions=poses.positions[:, :, places],
        likelihoods=poses.likelihoods[:, :, places],
        skeleton=Skeleton.from_names(tuple(names.values()), edges),
    )


def _chosen_names(card: Card, keypoints: Keypoints | None) -> dict[str, str] | None:
    if keypoints is None:
        return None
    names = (
        dict(keypoints) if isinstance(keypoints, Mapping) else {name: name for name in keypoints}
    )
    for name in names:
        card.pose_skeleton.index(name)
    Skeleton(tuple(names.values()))
    return names


def model_file(folder: Path, config: AnalyzeConfig) -> Path:
    """Return the form of the model that suits the machine; Keras reads only one of the two."""
    choice = choose_runtime(config.runtime, config.precision, has_keras=True, has_int8=False)
    return folder / (KERAS if choice.runtime == "keras" else NETWORK)


def _place(video: storage.Url, told: Mapping[str, Any]) -> str:
    """Return a folder in which no other model has its poses."""
    url = storage.resolve(video)
    stem = PurePosixPath(storage.name(url)).stem
    name, digest = told["model"], told["card_sha256"]
    place = storage.join(storage.parent(url), f"{stem}_poses", name)
    before = _story_in(place).get("card_sha256", digest)
    return place if before == digest else f"{place}-{digest[:8]}"


def _story_in(place: str) -> Mapping[str, Any]:
    """Return what an analysis of before tells of the zoo; empty if there is none."""
    url = storage.join(place, META)
    if not storage.exists(url):
        return {}
    try:
        story: Mapping[str, Any] = json.loads(storage.read_text(url)).get("zoo", {})
    except ValueError:  # damaged; the analysis will write it anew
        return {}
    return story


def sample_frames(video: storage.Url, config: AnalyzeConfig) -> np.ndarray:
    """Return frames from all over the range, RGB, cropped."""
    url = storage.resolve(video)
    with open_video(url, warn=False) as reader:
        x1, x2, y1, y2 = whole_crop(Target(url, url, output=""), config, reader.info)
        start, stop = whole_range(config, reader.info)
        count = min(_FRAMES, stop - start)
        places = np.linspace(start, stop - 1, 2 * count + 1)[1::2]
        frames = np.stack([reader[int(place)] for place in places])
    return np.ascontiguousarray(frames[:, y1:y2, x1:x2])


def _in_range(scale: float) -> float:
    return min(max(scale, STEPS[0]), STEPS[-1])


def _told(member: Member, video: storage.Url) -> dict[str, Any]:
    return {
        "model": member.card.name,
        "card_sha256": member.card_sha256,
        "licence": member.card.licence,
        "video": storage.fingerprint(video),
    }


def _size_story(size: Size, *, given: bool, config: AnalyzeConfig) -> dict[str, Any]:
    if given:
        return {"value": size.value, "given": True}
    return {
        "value": size.value,
        "given": False,
        "likelihood": round(size.likelihood, 4),
        "tried": {f"{each:.4g}": round(likelihood, 4) for each, likelihood in size.tried.items()},
        "seen": _seen(config),
    }


def _seen(config: AnalyzeConfig) -> list[Any]:
    """Return what decides which frames are looked at."""
    return [config.start, config.stop, None if config.crop is None else list(config.crop)]


def _remembered(place: str, told: Mapping[str, Any], config: AnalyzeConfig) -> Size | None:
    """Return the size that an earlier call found in the same frames."""
    before = _story_in(place)
    size = before.get("size", {"given": True})
    if size["given"] or size["seen"] != _seen(config):
        return None
    if any(before.get(key) != value for key, value in told.items()):
        return None
    tried = {float(each): likelihood for each, likelihood in size["tried"].items()}
    return Size(size["value"], size["likelihood"], tried)


def _annotated(poses: Poses, place: str, story: Mapping[str, Any]) -> Poses:
    """Add the model and the size to ``meta.json``."""
    url = storage.join(place, META)
    meta = {**json.loads(storage.read_text(url)), "zoo": story}
    storage.write_text(url, json.dumps(meta, indent=1, ensure_ascii=False) + "\n")
    return replace(poses, provenance=meta)


def _chosen_story(whole: Poses, poses: Poses, story: Mapping[str, Any]) -> dict[str, Any]:
    meta = {key: value for key, value in whole.provenance.items() if key not in ("schema", "files")}
    model = dict(meta["model"])
    skeleton = poses.skeleton
    model["description"] = {
        **model["description"],
        "keypoints": list(skeleton.keypoints),
        "edges": [list(edge) for edge in skeleton.edges],
    }
    # No key of a plain analysis, which would take these tables for its own.
    return {**meta, "key": f"zoo {meta['key']}", "model": model, "zoo": story}
