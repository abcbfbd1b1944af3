"""The verb `train`: from a project's labelled frames to a run with a trained model."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.augmentation import Habits, find_habits
from posenb.core import (
    FrameName,
    Labels,
    ModelDescription,
    Skeleton,
    Split,
    SplitConfig,
    TrainConfig,
)
from posenb.errors import TrainingError
from posenb.jobs import Attendance, alone, attended, check_reach, history_table, launch, observe
from posenb.labels import labels_digest, make_split, write_split
from posenb.models import (
    Resize,
    build_network,
    build_predictor,
    calibrate,
    export_network,
    get_backbone,
    jit_compile,
    save_predictor,
)
from posenb.project import Project, Run, open_project
from posenb.training.batches import batch_at
from posenb.training.checkpoints import read_checkpoint, write_checkpoint
from posenb.training.device import (
    data_parallel,
    policy,
    precision,
    seeded,
)
from posenb.training.frames import Frames, load_frames
from posenb.training.learner import Learner
from posenb.training.loop import Outcome, train_learner
from posenb.training.sizing import body_length, choose_radius, choose_scale, choose_window
from posenb.training.start import find_start, pin_start, take_weights, tell_unmatched

__all__ = ["train"]

_MOST_VALIDATED = 200  # frames: enough for a mean, and validation stays a small share of the time
_START = {"start", "start_keypoints", "start_sha256"}
_PACKAGES = ("posenb", "keras", "numpy")


def train(
    project: Project | storage.Url,
    config: TrainConfig | None = None,
    *,
    name: str | None = None,
    split: Split | SplitConfig | None = None,
    background: bool = False,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> Run:
    """Fine-tune a network on a project's labelled frames.

    It starts from a backbone that knows pictures, or, with ``start``, from a model that knows
    such animals: one of the zoo or of another run. Then the channels of keypoints whose names
    match go on from what they were, and a `posenb.errors.TrainingWarning` names the others; the
    config of the run and its model tell what was taken from where.

    Killed at any moment and called again with the same arguments, it goes on from its
    last checkpoint; called again after it has finished, it returns the finished run. A run
    that was begun goes on by its name alone.

    Parameters
    ----------
    project : Project or URL
    config : TrainConfig, optional
        By default that of the run `name` if there is one, else `TrainConfig()`.
    name : str, optional
        Of the run, a folder below ``runs/``. By default made of the backbone, the seed
        and a digest of config, labels and split, so that the same call is the same run.
    split : Split or SplitConfig, optional
        Which frames train, validate and test, or how these are drawn; by default as
        `config.split` says.
    background : bool, default False
        Train in a process of its own, ``posenb train PROJECT --name NAME``, which goes on
        when this one ends, and return the run at once; also where it is trained already.
        What cannot be trained is refused here all the same. See `posenb.watch` and
        `posenb.wait_for_training`.
    progress : Progress, optional
        Nothing is shown of what trains in the background.
    **options
        Fields of `TrainConfig`, or of its parts by their bare names
        (``backbone="resnet_50"``, ``test_fraction=0.5``, ``start="zoo:mouse_openfield"``),
        instead of `config`.

    Returns
    -------
    Run

    Raises
    ------
    TrainingError
        If frames of the split are not labelled or those that train show no keypoint, the
        run is being trained elsewhere or was started with another config or split, the start
        is not there or of another shape than the options want, or the loss is no longer a
        number.
    TrainingStoppedError
        If it was asked to stop (`posenb.stop_training`) before it was finished.
    LabelError
        If nothing is labelled, or the image of a labelled frame cannot be read.
    ConfigError
        If an option is unknown or out of range.
    UnknownNameError, ZooError
        If there is no such backbone or model of the zoo, or the latter was altered.
    ModelError
        If the initial weights cannot be loaded.
    """
    if isinstance(split, SplitConfig):
        split, options = None, {**options, "split": split}
    if config is not None and options:
        raise TrainingError(
            f"Give either a config or options; got both ({', '.join(options)}). Use "
            "config.replace(...)."
        )
    project = project if isinstance(project, Project) else open_project(project)
    begun = Run(storage.join(project.runs_url, name)) if name else None
    if begun is not None and config is None and not options and storage.exists(begun.config_url):
        config = begun.config()
    config = TrainConfig.from_options(**options) if config is None else config
    labels = _one_animal(project.labels())
    chosen = make_split(labels, config.split) if split is None else split
    config = _pinned(config, labels, chosen, project, begun)
    run = Run(storage.join(project.runs_url, name or _default_name(config, labels, chosen)))
    digest = labels_digest(labels)
    if run.finished:
        _check_same(run, config, split)
        _check_labels(run, digest)
        storage.remove(run.checkpoint_url)  # a kill may have come between model and removal
        return run
    if background:
        check_reach(run)
        if storage.exists(run.config_url) and observe(run).goes_on:
            _check_same(run, config, split)
            return run
    with alone(run):
        if storage.exists(run.config_url):
            _check_same(run, config, split)
        else:
            get_backbone(config.model.backbone)
            _trainable(labels, chosen)
            tell_unmatched(config, labels.skeleton.keypoints)
            _begin(run, config, chosen, digest)
        if not run.finished:  # another process may have finished it while this one waited
            if background:
                launch(run)
            else:
                _train(run, project, labels, config, progress)
    return run


def _train(
    run: Run, project: Project, labels: Labels, config: TrainConfig, progress: Progress
) -> None:
    """Train a run that has begun, from where it is to its end."""
    with attended(run) as attendance:
        kept = run.split()
        task = _prepare(project, labels, kept, config, progress)
        outcome = _fit(run, task, config, attendance, progress)
        _finish(run, task, outcome, config, _of_split(labels, kept))


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What is trained on, at which scale."""

    train: Frames
    validation: Frames
    train_labels: Labels
    scale: float
    window: int
    radius: float
    habits: Habits


def _one_animal(labels: Labels) -> Labels:
    if len(labels.individuals) > 1:
        raise TrainingError(
            f"This version trains networks for one animal; the labels name "
            f"{len(labels.individuals)} ({', '.join(labels.individuals)}). Label one of them in a "
            "project of its own."
        )
    return labels


def _pinned(
    config: TrainConfig, labels: Labels, split: Split, project: Project, begun: Run | None
) -> TrainConfig:
    """Return the config with all that its start decides."""
    if config.start is None:
        return config
    before = begun.config() if begun is not None and storage.exists(begun.config_url) else None
    if config == before:  # the start need not be there any more
        return config
    return pin_start(config, _trainable(labels, split)[0], project.url, before)


def _default_name(config: TrainConfig, labels: Labels, split: Split) -> str:
    # Runs keep the names that they had before there were starts, and unknown keypoints.
    unset = set() if config.start is not None else set(_START)
    if config.unlabelled == "absent":
        unset.add("unlabelled")
    digest = hashlib.sha256(config.model_dump_json(exclude=unset).encode())
    digest.update(labels_digest(labels).encode())
    digest.update(repr((split.train, split.validation, split.test)).encode())
    return f"{config.model.backbone}_seed{config.seed}_{digest.hexdigest()[:8]}"


def _of_split(labels: Labels, split: Split) -> Labels:
    frames = {*split.train, *split.validation, *split.test}
    return labels.select([n for n, frame in enumerate(labels.frames) if frame in frames])


def _check_same(run: Run, config: TrainConfig, split: Split | None) -> None:
    """Check what a run begun before shall go on with; no split given means its own."""
    before = run.config()
    if before != config:
        changed = [k for k in type(config).model_fields if getattr(before, k) != getattr(config, k)]
        raise TrainingError(
            f"A run keeps the config it was started with; {run.name!r} differs in "
            f"{', '.join(changed)}. Choose another name, or delete {run.url}."
        )
    if split is not None and split != run.split():
        raise TrainingError(
            f"A run keeps the split it was started with; {run.name!r} has another. Choose another "
            f"name, or delete {run.url}."
        )


def _check_labels(run: Run, digest: str) -> None:
    """Refuse to pass off a finished run as trained on labels that it has never seen.

    A run that was cut off goes on with the frames of its split, whatever was labelled
    meanwhile.
    """
    if storage.read_text(run.labels_url) != digest:
        raise TrainingError(
            f"The run {run.name!r} is finished, and labels have changed since it was started. "
            f"Train under another name, or without one; or delete {run.url}."
        )


def _begin(run: Run, config: TrainConfig, split: Split, digest: str) -> None:
    """Write what was decided, the config last: its file says that the run has begun."""
    write_split(run.split_url, split)
    storage.write_text(run.labels_url, digest)
    storage.write_text(run.config_url, config.model_dump_json(indent=1))


def _prepare(
    project: Project, labels: Labels, split: Split, config: TrainConfig, progress: Progress
) -> _Task:
    chosen, validation = _trainable(labels, split)
    scale = choose_scale(chosen, config)
    shrink = Resize(scale)

    def scaled(frames: np.ndarray) -> np.ndarray:
        small: np.ndarray = keras.ops.convert_to_numpy(shrink(frames))
        return np.clip(np.round(small), 0, 255).astype(np.uint8)

    validation = validation.select(_thinned(len(validation), _MOST_VALIDATED))
    return _Task(
        load_frames(project, chosen, scaled, progress),
        load_frames(project, validation, scaled),
        chosen,
        scale,
        choose_window(chosen, scale, config),
        choose_radius(chosen, scale, config),
        find_habits(chosen, config.augmentation),
    )


def _trainable(labels: Labels, split: Split) -> tuple[Labels, Labels]:
    """Return the labels that train and those that validate, if there is enough of them."""
    train, validation = _select(labels, split.train), _select(labels, split.validation)
    if np.isnan(train.positions).all():
        raise TrainingError(
            "Training needs labelled keypoints; the training frames have none. Label some frames "
            "first."
        )
    return train, validation


def _select(labels: Labels, frames: tuple[FrameName, ...]) -> Labels:
    place = {frame: i for i, frame in enumerate(labels.frames)}
    gone = [frame for frame in frames if frame not in place]
    if gone:
        raise TrainingError(
            f"The frames of a run's split must be labelled; {'/'.join(gone[0])} and "
            f"{len(gone) - 1} more are not. Label them, or train with another split under another "
            "name."
        )
    return labels.select([place[frame] for frame in frames])


def _thinned(count: int, most: int) -> list[int]:
    return list(range(0, count, max(1, math.ceil(count / most))))


def _fit(
    run: Run, task: _Task, config: TrainConfig, attendance: Attendance, progress: Progress
) -> Outcome:
    with data_parallel(config.batch_size):
        with policy(precision(config.mixed_precision)), seeded(config.seed):
            weights = _local_weights(config.model.weights)
            keypoints = task.train_labels.skeleton
            network = build_network(config.model, len(keypoints), weights)
            learner = Learner(network, config, keypoints, window=task.window, radius=task.radius)
        batch_of = partial(
            batch_at, frames=task.train, window=task.window, config=config, habits=task.habits
        )
        checkpoint = read_checkpoint(run.checkpoint_url)
        if checkpoint is None and config.start is not None:
            start = find_start(config.start, run.project_url, config.start_sha256)
            take_weights(network, start, config, keypoints)
        elif checkpoint is None and weights is None:
            calibrate(network, lambda: learner(batch_of(0), training=True))
        return train_learner(
            learner,
            batch_of,
            _validator(network, task.validation, config),
            config,
            checkpoint=checkpoint,
            save=partial(write_checkpoint, run.checkpoint_url),
            tell=attendance.tell,
            progress=progress,
        )


def _local_weights(weights: str | None) -> str | Path | None:
    return weights if weights in ("imagenet", None) else storage.cached_copy(str(weights))


def _validator(network: keras.Model, frames: Frames, config: TrainConfig) -> Callable[[], float]:
    """Return the mean error over validation frames, source pixels; NaN without any."""
    predictor = build_predictor(network, config.model, scale=1.0)
    predictor.compile(jit_compile=jit_compile())
    batches = list(_batches_of_one_size(frames.sizes, config.batch_size))

    def validate() -> float:
        errors = []
        for part in batches:
            height, width = frames.sizes[part[0]]
            # Short batches are filled up: there is one shape to compile for.
            images = frames.images[np.resize(part, config.batch_size), :height, :width]
            found = predictor.predict_on_batch(images)[: len(part), :, :2]
            difference = (found - frames.keypoints[part]) / frames.ratios[part, None]
            errors.append(np.linalg.norm(difference, axis=-1).ravel())
        known = np.concatenate(errors) if errors else np.empty(0)
        known = known[~np.isnan(known)]
        return float(known.mean()) if len(known) else math.nan

    return validate


def _batches_of_one_size(sizes: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """Yield the indices of up to `count` frames at a time that have the same size."""
    for size in np.unique(sizes, axis=0):
        alike = np.flatnonzero((sizes == size).all(axis=1))
        for start in range(0, len(alike), count):
            yield alike[start : start + count]


def _finish(run: Run, task: _Task, outcome: Outcome, config: TrainConfig, labels: Labels) -> None:
    """Write learning curve, network and, last of all, the model; then drop the checkpoint."""
    skeleton = labels.skeleton
    with seeded(config.seed):
        network = build_network(config.model, len(skeleton))
    network.set_weights(outcome.weights)
    predictor = build_predictor(network, config.model, task.scale)
    length = body_length(task.train_labels)
    description = ModelDescription(
        name=run.name,
        keypoints=skeleton.keypoints,
        edges=skeleton.edges,
        individuals=labels.individuals,
        scale=task.scale,
        body_length=None if math.isnan(length) else round(length, 2),
        config=config,
        mirrored=task.habits.flip,
        provenance={
            "versions": {package: version(package) for package in _PACKAGES},
            "backend": keras.backend.backend(),
            "labels_sha256": labels_digest(labels),
            "train_frames": len(task.train),
            **_start_story(config, skeleton),
        },
    )
    storage.write_text(run.history_url, history_table(outcome.history))
    storage.write_bytes(run.network_url, export_network(predictor, description).encode())
    with storage.writing(run.model_url) as path:
        save_predictor(path, predictor, description)
    storage.remove(run.checkpoint_url)


def _start_story(config: TrainConfig, skeleton: Skeleton) -> dict[str, Any]:
    """Return what the model tells of the one from which it started."""
    if config.start is None:
        return {}
    new = [name for name in skeleton.keypoints if name not in config.start_keypoints]
    return {
        "start": {
            "model": config.start,
            "sha256": config.start_sha256,
            "keypoints": config.start_keypoints,
            "new_keypoints": new,
        }
    }
