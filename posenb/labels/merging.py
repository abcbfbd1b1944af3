"""Labels of one set of frames, put together from several hands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from posenb.core import FrameName, Labels, Skeleton, Visibility
from posenb.errors import LabelError

__all__ = ["align_labels", "join_labels", "merge_labels"]

Name = TypeVar("Name")


def merge_labels(old: Labels, new: Labels, base: Labels | None = None) -> Labels:
    """Put `new` labels over `old` ones, keypoint by keypoint.

    Parameters
    ----------
    old : Labels
        What is there.
    new : Labels
        What was said since. A keypoint that is unlabelled here says nothing.
    base : Labels, optional
        What `new` started from. With it only what differs between `base` and `new`
        counts: values left alone do not overrule what others said meanwhile, and a
        keypoint said in `base` but unlabelled in `new` is erased. This is the one way
        to erase a label.

    Returns
    -------
    Labels
        Frames, individuals and keypoints of both, those of `old` first and in its
        order; the scorer of `old`.

    Raises
    ------
    LabelError
        If one of them has unnamed and the other named animals.
    """
    frames = _union(old.frames, new.frames)
    individuals = _union(old.individuals, new.individuals)
    if "" in individuals and len(individuals) > 1:
        raise LabelError(
            "Labels of one unnamed animal cannot be merged with those of named animals; got the "
            f"individuals {old.individuals} and {new.individuals}. Name the animal."
        )
    skeleton = _joint_skeleton(old.skeleton, new.skeleton)
    ground, over = (align_labels(part, frames, individuals, skeleton) for part in (old, new))
    assert ground.visibility is not None
    assert over.visibility is not None
    wins = over.visibility != Visibility.UNLABELLED
    if base is not None:
        before = align_labels(base, frames, individuals, skeleton)
        assert before.visibility is not None
        changed = (over.visibility != before.visibility) | ~np.isclose(
            over.positions, before.positions, rtol=0, atol=0, equal_nan=True
        ).all(axis=-1)
        wins = changed & _covered(new, frames, individuals, skeleton)
    return Labels(
        frames,
        np.where(wins[..., None], over.positions, ground.positions),
        skeleton,
        individuals,
        np.where(wins, over.visibility, ground.visibility),
        old.scorer,
    )


def join_labels(parts: Sequence[Labels]) -> Labels:
    """Return the labels of several disjoint sets of frames as one.

    All have the skeleton and individuals of the first.

    Raises
    ------
    InvalidInputError
        If a frame stands in two of them.
    """
    first = parts[0]
    visibility = [part.visibility for part in parts if part.visibility is not None]
    return Labels(
        tuple(frame for part in parts for frame in part.frames),
        np.concatenate([part.positions for part in parts]),
        first.skeleton,
        first.individuals,
        np.concatenate(visibility),
        first.scorer,
    )


def align_labels(
    labels: Labels,
    frames: tuple[FrameName, ...],
    individuals: tuple[str, ...],
    skeleton: Skeleton,
) -> Labels:
    """Return `labels` of the given frames, individuals and keypoints, in that order.

    What `labels` lacks is unlabelled; what is not asked for is left out.

    Parameters
    ----------
    labels : Labels
        Labels to arrange anew.
    frames : tuple of FrameName
        The N frames wanted.
    individuals : tuple of str
        The I individuals wanted.
    skeleton : Skeleton
        The K keypoints wanted.
    """
    assert labels.visibility is not None
    shape = (len(frames), len(individuals), len(skeleton))
    positions = np.full((*shape, 2), np.nan)
    visibility = np.zeros(shape, dtype=np.uint8)
    source, target = _cells(labels, frames, individuals, skeleton)
    positions[target] = labels.positions[source]
    visibility[target] = labels.visibility[source]
    return Labels(frames, positions, skeleton, individuals, visibility, labels.scorer)


def _covered(
    labels: Labels,
    frames: tuple[FrameName, ...],
    individuals: tuple[str, ...],
    skeleton: Skeleton,
) -> np.ndarray:
    covered = np.zeros((len(frames), len(individuals), len(skeleton)), dtype=bool)
    covered[_cells(labels, frames, individuals, skeleton)[1]] = True
    return covered


def _cells(
    labels: Labels,
    frames: tuple[FrameName, ...],
    individuals: tuple[str, ...],
    skeleton: Skeleton,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the cells of `labels` that are wanted and where they go."""
    row = {frame: n for n, frame in enumerate(frames)}
    column = {name: i for i, name in enumerate(individuals)}
    rows = [(n, row[frame]) for n, frame in enumerate(labels.frames) if frame in row]
    pairs = []
    for k, keypoint in enumerate(labels.skeleton.keypoints):
        if keypoint not in skeleton.keypoints:
            continue
        to = skeleton.keypoints.index(keypoint)
        if keypoint in skeleton.unique or keypoint in labels.skeleton.unique:
            pairs.append((0, k, 0, to))  # stands with the first animal, whoever that is
            continue
        pairs += [
            (i, k, column[name], to) for i, name in enumerate(labels.individuals) if name in column
        ]
    n = np.array(rows, dtype=np.intp).reshape(-1, 2)
    c = np.array(pairs, dtype=np.intp).reshape(-1, 4)
    source = np.broadcast_arrays(n[:, :1], c[:, 0], c[:, 1])
    target = np.broadcast_arrays(n[:, 1:], c[:, 2], c[:, 3])
    return (source[0], source[1], source[2]), (target[0], target[1], target[2])


def _joint_skeleton(old: Skeleton, new: Skeleton) -> Skeleton:
    return Skeleton.from_names(
        _union(old.keypoints, new.keypoints),
        _union(old.edge_names, new.edge_names),
        _union(old.unique, new.unique),
    )


def _union(first: tuple[Name, ...], second: tuple[Name, ...]) -> tuple[Name, ...]:
    return tuple(dict.fromkeys((*first, *second)))
