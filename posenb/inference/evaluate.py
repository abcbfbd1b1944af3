"""The verb `evaluate`: how far a run's predictions are from the labels."""

from __future__ import annotations

import errno
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import FrameFormat, FrameName, Labels, Skeleton, Visibility
from posenb.errors import AnalysisError, LabelError, LabelWarning, StorageError
from posenb.evaluation import pixel_errors, summarise, tabulate_errors
from posenb.inference.evaluate_config import EvaluateConfig
from posenb.inference.evaluation_files import Evaluation, write_evaluation, write_pictures
from posenb.inference.model import Model, find_model
from posenb.inference.variants import Variants
from posenb.labels import align_labels, labels_digest
from posenb.project import Project, Run, open_project, open_run, read_image

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluate"]

_BATCH = 8
_MOST_WAITING = 4 * _BATCH  # frames of different sizes that wait for a batch to fill
_PARTS = ("train", "validation", "test")

Parts = dict[FrameName, str]
Image = np.ndarray | LabelError | StorageError


def evaluate(
    run: Run | storage.Url,
    *,
    config: EvaluateConfig | None = None,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> Evaluation:
    """Compare a run's predictions with the labels of its project as they are now.

    The frames are those of the run's split; what was labelled since is not evaluated.
    Written to ``evaluation/`` in the folder of the run, over those of an earlier
    evaluation: ``summary.csv`` (one row a keypoint and part of the split),
    ``errors.csv`` (one row a keypoint and frame), ``meta.json`` (how they came about),
    and with `figures` ``errors.png`` and ``.svg``, ``learning_curve.png`` and the worst
    frames in ``worst/``.

    Parameters
    ----------
    run : Run, str or PathLike
        A finished run or its folder.
    config : EvaluateConfig, optional
    progress : Progress, optional
    **options
        Fields of `EvaluateConfig`, such as ``pck=(3, 10)`` or ``flip=True``.

    Returns
    -------
    Evaluation

    Raises
    ------
    ProjectError
        If there is no run or no project.
    AnalysisError
        If the run has not finished, or is for several animals.
    LabelError
        If none of the run's frames can be evaluated.
    ConfigError
        If an option is unknown or out of range.

    Warns
    -----
    LabelWarning
        If frames of the split are no longer labelled or their images cannot be read
        (they are left out), if the project's keypoints are not those of the model
        (those they share are evaluated), or if labels changed after the training.
    """
    chosen = EvaluateConfig(**options) if config is None else config.replace(**options)
    run = run if isinstance(run, Run) else open_run(run)
    if not run.finished:
        raise AnalysisError(
            f"Evaluation needs a finished run; {run.name!r} has no model yet ({run.model_url}). "
            "Train it to its end, which goes on where it stopped, or choose another run."
        )
    project, split = open_project(run.project_url), run.split()
    parts = {frame: part for part in _PARTS for frame in getattr(split, part)}
    model = find_model(
        run,
        runtime=chosen.runtime,
        precision=chosen.precision,
        variants=Variants(chosen.flip, chosen.scales),
    )
    labels = _choose_labels(project.labels(), parts, model)
    poses, faults = _predict(model, project, labels.frames, progress)
    labels, poses = _without(labels, poses, faults)
    channels = [model.description.keypoints.index(name) for name in labels.skeleton.keypoints]
    found = poses[:, None, channels]
    names = [parts[frame] for frame in labels.frames]
    evaluation = Evaluation(
        run.evaluation_url,
        _summarise_parts(labels, found, names, chosen),
        tabulate_errors(labels, found[..., :2], found[..., 2], names),
        chosen.cutoff,
    )
    write_evaluation(evaluation, _story(model, labels, faults, chosen))
    if chosen.figures:
        write_pictures(
            evaluation, run, project, labels, found, worst=chosen.worst, progress=progress
        )
    return evaluation


def _choose_labels(labels: Labels, parts: Parts, model: Model) -> Labels:
    """Return the labels of the split's frames, of the animal and keypoints of the model."""
    description = model.description
    known = labels.skeleton.keypoints
    shared = tuple(name for name in description.keypoints if name in known)
    if not shared or not set(description.individuals) & set(labels.individuals):
        raise LabelError(
            f"The model {description.name!r} finds {', '.join(description.keypoints)} of the "
            f"individual {description.individuals[0]!r}; the project's labels have none of them "
            f"(keypoints {', '.join(known)}, individuals {labels.individuals}). Restore the names "
            "in the project, or train again."
        )
    ours = labels.select([n for n, frame in enumerate(labels.frames) if frame in parts])
    before = description.provenance.get("labels_sha256")
    changed = before is not None and labels_digest(ours) != before
    skeleton = _part_of(description.skeleton, shared)
    chosen = align_labels(ours, ours.frames, description.individuals, skeleton)
    assert chosen.visibility is not None
    said = (chosen.visibility != Visibility.UNLABELLED).any(axis=(1, 2))
    chosen = chosen.select(np.flatnonzero(said))
    there = set(chosen.frames)
    gone = [frame for frame in parts if frame not in there]
    if not len(chosen):
        raise LabelError(
            f"None of the {len(parts)} frames of the run {description.name!r} is labelled any "
            "more. Restore the labels, or train again."
        )
    differing = sorted(set(description.keypoints) ^ set(known))
    if differing:
        _warn(
            f"The keypoints of the project have changed since {description.name!r} was trained "
            f"({', '.join(differing)}); only those that both have are evaluated. Train again to "
            "have all."
        )
    if gone:
        _warn(
            f"{len(gone)} of the {len(parts)} frames of the run {description.name!r} are no "
            f"longer labelled and are left out: {_listing(gone)}."
        )
    if changed and not differing and not gone:
        _warn(
            f"Labels have changed since {description.name!r} was trained; its predictions are "
            "compared with the labels as they are now. Train again to learn from them."
        )
    return chosen


def _part_of(skeleton: Skeleton, keypoints: tuple[str, ...]) -> Skeleton:
    edges = tuple((a, b) for a, b in skeleton.edge_names if a in keypoints and b in keypoints)
    return Skeleton.from_names(keypoints, edges)


def _predict(
    model: Model, project: Project, frames: tuple[FrameName, ...], progress: Progress
) -> tuple[np.ndarray, dict[FrameName, str]]:
    """Return poses, shape (N, K, 3), and why there are none of some frames."""
    poses = np.full((len(frames), len(model.description.keypoints), 3), np.nan)
    faults: dict[FrameName, str] = {}
    with progress(len(frames), "Evaluating", "frame") as bar:

        def readable() -> Iterator[tuple[int, np.ndarray]]:
            for n, image in enumerate(storage.in_order(partial(_fetch, project), frames)):
                if isinstance(image, np.ndarray):
                    yield n, image
                else:
                    faults[frames[n]] = str(image)
                    bar.advance()

        for indices, batch in _batches(readable()):
            height, width = batch.shape[1:3]
            predict = model.predict(FrameFormat("rgb", height, width), _BATCH)
            poses[indices] = predict(batch.reshape(len(batch), -1))
            bar.advance(len(indices))
    return poses, faults


def _fetch(project: Project, frame: FrameName) -> Image:
    try:
        return read_image(project, frame)
    except LabelError as error:
        return error
    except StorageError as error:
        if error.errno != errno.ENOENT:
            raise
        return error


def _batches(
    images: Iterable[tuple[int, np.ndarray]],
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Put images of equal size together, at most `_MOST_WAITING` of them waiting."""
    waiting: dict[tuple[int, ...], list[tuple[int, np.ndarray]]] = defaultdict(list)
    for numbered in images:
        waiting[numbered[1].shape].append(numbered)
        largest = max(waiting, key=lambda shape: len(waiting[shape]))
        held = sum(len(group) for group in waiting.values())
        if len(waiting[largest]) == _BATCH or held == _MOST_WAITING:
            yield _stack(waiting.pop(largest))
    for group in waiting.values():
        yield _stack(group)


def _stack(group: list[tuple[int, np.ndarray]]) -> tuple[list[int], np.ndarray]:
    return [n for n, _ in group], np.stack([image for _, image in group])


def _without(
    labels: Labels, poses: np.ndarray, faults: dict[FrameName, str]
) -> tuple[Labels, np.ndarray]:
    """Leave out the frames whose images could not be read."""
    if not faults:
        return labels, poses
    kept = [n for n, frame in enumerate(labels.frames) if frame not in faults]
    reason = next(iter(faults.values()))
    if not kept:
        raise LabelError(
            f"Evaluation needs the images of the labelled frames; none of {len(faults)} could be "
            f"read. The first: {reason}"
        )
    _warn(
        f"The images of {len(faults)} of {len(labels)} frames cannot be read, so they are left "
        f"out: {_listing(list(faults))}. The first: {reason}"
    )
    return labels.select(kept), poses[kept]


def _summarise_parts(
    labels: Labels, found: np.ndarray, names: list[str], config: EvaluateConfig
) -> pd.DataFrame:
    import pandas as pd

    errors = pixel_errors(found[..., :2], labels.positions)
    tables = []
    for part in (part for part in _PARTS if part in names):
        rows = np.array(names) == part
        keypoints = labels.skeleton.keypoints
        table = summarise(
            errors[rows], found[rows, ..., 2], keypoints, cutoff=config.cutoff, pck=config.pck
        )
        table.insert(0, "split", part)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _story(
    model: Model,
    labels: Labels,
    faults: dict[FrameName, str],
    config: EvaluateConfig,
) -> dict[str, object]:
    return {
        "run": model.description.name,
        "model_sha256": model.digest,
        "labels_sha256": labels_digest(labels),
        "frames": len(labels),
        "left_out": {"/".join(frame): reason for frame, reason in faults.items()},
        "cutoff": config.cutoff,
        "pck": list(config.pck),
        "flip": config.flip,
        "scales": list(config.scales),
        "software": dict(model.software),
    }


def _listing(frames: list[FrameName]) -> str:
    names = ["/".join(filter(None, frame)) for frame in frames]
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _warn(message: str) -> None:
    warnings.warn(message, LabelWarning, stacklevel=4)
