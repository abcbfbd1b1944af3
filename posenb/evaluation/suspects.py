"""Labels that may be mistakes: those unlike all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from posenb.core import FrameName, Labels
from posenb.errors import InvalidInputError
from posenb.evaluation.repeats import Repeat, find_repeats
from posenb.evaluation.shapes import expected_places, mean_shape

__all__ = ["Kind", "Suspect", "find_suspects"]

Kind = Literal["swap", "shape", "limb", "place", "copy", "twin"]

_ENOUGH = 10  # animals by which it can be said what is usual
_SURE = 3.0  # times by which swapped keypoints must fit better
_RADIAL = 1.1774  # median distance from the middle of a round normal distribution of deviation 1
_MAD = 1.4826  # the same for a normal distribution on a line
_HAND = 1.5  # pixels by which people differ without being wrong
_HAND_LOG = 0.05  # and the share of a length


@dataclass(frozen=True, slots=True)
class Suspect:
    """Labels of one animal in one frame that may be a mistake.

    Parameters
    ----------
    frame : FrameName
    kind : {"swap", "shape", "limb", "place", "copy", "twin"}
        The other way round left and right would fit; far from where the rest of the
        animal has it; a length unlike all others; far from where it is in other frames;
        the same labels as in another frame; the same image as another frame.
    individual : str
        The animal; empty where all are meant or there is one unnamed.
    keypoints : tuple of str
        The most suspicious one first.
    score : float
        How unlike the others: robust deviations.
    reason : str
        A sentence.
    other : FrameName, optional
        The frame it repeats.
    """

    frame: FrameName
    kind: Kind
    individual: str
    keypoints: tuple[str, ...]
    score: float
    reason: str
    other: FrameName | None = None


def find_suspects(
    labels: Labels, pictures: np.ndarray | None = None, *, cutoff: float = 6.0
) -> tuple[Suspect, ...]:
    """Find labels that may be mistakes, by comparing them with all others.

    - "swap": with left and right the other way round, the pair fits the rest of the animal
      three times better.
    - "shape": a keypoint lies far from where the rest of the animal has it, judged by the
      mean shape of all animals (`posenb.evaluation.shapes`), turned, scaled and shifted onto
      the rest. Where one keypoint spoils this for others, only that one is named.
    - "limb": the length of an edge of the skeleton is unlike that in all other frames. Two
      keypoints without an edge count as one.
    - "place": a keypoint lies far from where it is in the other frames of the video. Where
      the animal walks about nothing is far.
    - "copy": all positions are those of another frame, as if copied and never corrected.
    - "twin": the image is nearly the same as that of another frame, so that one is
      superfluous, or the labels of the two tell how exact they are.

    Far is more than `cutoff` robust deviations (from medians, so that mistakes do not widen
    what is usual), and at least ten animals must show what that is.

    Parameters
    ----------
    labels : Labels
    pictures : ndarray of uint8, shape (N, h, w), optional
        Small grey pictures of the frames, all shrunk alike.
    cutoff : float, optional
        The smaller, the more is found.

    Returns
    -------
    tuple of Suspect
        The most suspicious first; they are worth a look, not always wrong.

    Raises
    ------
    InvalidInputError
        If `cutoff` is not positive, or there is not one picture for each frame.
    """
    if not cutoff > 0 or (pictures is not None and len(pictures) != len(labels)):
        raise InvalidInputError(
            "Suspects are found by a positive cutoff and, if any, one picture for each frame; "
            f"got {cutoff} and {'no' if pictures is None else len(pictures)} pictures of "
            f"{len(labels)} frames."
        )
    places = labels.positions[..., 0] + 1j * labels.positions[..., 1]
    points = places.copy()
    points[..., [labels.skeleton.index(name) for name in labels.skeleton.unique]] = np.nan
    flat = points.reshape(-1, len(labels.skeleton))
    shape = mean_shape(flat)
    swaps = list(_swaps(labels, flat, shape, cutoff))
    found = [
        *(suspect for _, suspect in swaps),
        *_odd_shapes(labels, _put_right(labels, flat, swaps), shape, cutoff),
        *_odd_limbs(labels, flat, cutoff),
        *_odd_places(labels, places, cutoff),
        *(_repeated(labels, each, cutoff) for each in find_repeats(labels, pictures)),
    ]
    return tuple(sorted(_explained(found), key=lambda each: -each.score))


def _swaps(
    labels: Labels, points: np.ndarray, shape: np.ndarray, cutoff: float
) -> Iterator[tuple[int, Suspect]]:
    """Exchange each pair that mirrors each other and see whether it fits better; tell the row."""
    names = labels.skeleton.keypoints
    for pair in labels.skeleton.mirror_pairs():
        expected, scale = expected_places(points, shape, pair)
        here = points[:, list(pair)]
        as_said = np.abs(here - expected) / scale[:, None]
        swapped = np.abs(here[:, ::-1] - expected) / scale[:, None]
        if (~np.isnan(as_said).any(axis=1)).sum() < _ENOUGH:
            continue
        usual = np.maximum(np.nanmedian(as_said, axis=0) / _RADIAL, _HAND)
        cost, other = (np.sqrt(((d / usual) ** 2).mean(axis=1)) for d in (as_said, swapped))
        left, right = (names[k] for k in pair)
        for n in np.flatnonzero((cost > cutoff / 2) & (cost > _SURE * other)):
            yield (
                int(n),
                _suspect(
                    *(labels, int(n), "swap", (left, right)),
                    cutoff + float(cost[n]),
                    f"{left} and {right} seem swapped: the other way round they fit the rest of "
                    f"the animal {cost[n] / other[n]:.0f} times better.",
                ),
            )


def _put_right(labels: Labels, points: np.ndarray, swaps: list[tuple[int, Suspect]]) -> np.ndarray:
    """Return points in which what seems swapped no longer is, so that it spoils nothing else."""
    right = points.copy()
    for row, suspect in swaps:
        pair = [labels.skeleton.index(name) for name in suspect.keypoints]
        right[row, pair] = points[row, pair[::-1]]
    return right


def _odd_shapes(
    labels: Labels, points: np.ndarray, shape: np.ndarray, cutoff: float
) -> Iterator[Suspect]:
    """Find keypoints far from where the rest has them; the worst of an animal, then the next."""
    away, scale = _distances(points, shape)
    enough = (~np.isnan(away)).sum(axis=0) >= _ENOUGH
    if not enough.any():
        return
    usual = np.full(len(shape), np.nan)
    usual[enough] = np.maximum(np.nanmedian(away[:, enough], axis=0) / _RADIAL, _HAND)
    for n in np.flatnonzero((np.nan_to_num(away / usual) > cutoff).any(axis=1)):
        animal = points[n : n + 1].copy()
        while True:
            far = np.nan_to_num(_distances(animal, shape)[0][0] / usual)
            if not (far > cutoff).any():
                break
            k = _culprit(animal, shape, usual, np.flatnonzero(far > cutoff / 2))
            expected, _ = expected_places(animal, shape, (k,))
            pixels = float(np.abs(animal[0, k] - expected[0, 0]))
            name = labels.skeleton.keypoints[k]
            yield _suspect(
                *(labels, int(n), "shape", (name,), float(far[k])),
                f"{name} lies {pixels:.0f} px from where the rest of the animal has it; half of "
                f"all lie within {usual[k] * _RADIAL * scale[n]:.0f}.",
            )
            animal[0, k] = np.nan


def _culprit(
    animal: np.ndarray, shape: np.ndarray, usual: np.ndarray, candidates: np.ndarray
) -> int:
    """Return the keypoint without which the others fit best together."""

    def left_over(k: int) -> float:
        rest = animal.copy()
        rest[0, k] = np.nan
        return float(np.nan_to_num(_distances(rest, shape)[0] / usual).max())

    far = np.nan_to_num(_distances(animal, shape)[0][0] / usual)
    return int(min(candidates, key=lambda k: (left_over(int(k)), -far[k])))


def _distances(points: np.ndarray, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each keypoint is from where the others have it, in pixels of the shape."""
    away = np.full(points.shape, np.nan)
    scales = np.full(points.shape, np.nan)
    for k in range(points.shape[1]):
        expected, scales[:, k] = expected_places(points, shape, (k,))
        away[:, k] = np.abs(points[:, k] - expected[:, 0]) / scales[:, k]
    known = ~np.isnan(scales)
    total = np.where(known, scales, 0).sum(axis=1)
    return away, total / np.maximum(known.sum(axis=1), 1)


def _odd_limbs(labels: Labels, points: np.ndarray, cutoff: float) -> Iterator[Suspect]:
    skeleton = labels.skeleton
    edges = skeleton.edges or (((0, 1),) if len(skeleton) == 2 else ())
    for a, b in edges:
        length = np.abs(points[:, a] - points[:, b])
        there = np.flatnonzero(~np.isnan(length))
        if len(there) < _ENOUGH:
            continue
        logs = np.log(np.maximum(length[there], 0.5))
        usual = float(np.median(logs))
        spread = max(_MAD * float(np.median(np.abs(logs - usual))), _HAND_LOG)
        scores = np.abs(logs - usual) / spread
        names = skeleton.keypoints[a], skeleton.keypoints[b]
        for n, score in zip(there[scores > cutoff], scores[scores > cutoff], strict=True):
            yield _suspect(
                *(labels, int(n), "limb", names, float(score)),
                f"{names[0]} and {names[1]} are {length[n]:.0f} px apart; usual are "
                f"{np.exp(usual):.0f}.",
            )


def _odd_places(labels: Labels, places: np.ndarray, cutoff: float) -> Iterator[Suspect]:
    individuals, keypoints = places.shape[1:]
    videos = np.array([frame.video for frame in labels.frames])
    for video in labels.videos:
        rows = np.flatnonzero(videos == video)
        for k in range(keypoints):
            here = places[rows, :, k]
            if (~np.isnan(here)).sum() < _ENOUGH:
                continue
            score = np.maximum(*(_deviations(part) for part in (here.real, here.imag)))
            for row, i in np.argwhere(np.nan_to_num(score) > cutoff):
                name = labels.skeleton.keypoints[k]
                x, y = here[row, i].real, here[row, i].imag
                yield _suspect(
                    *(labels, int(rows[row]) * individuals + int(i), "place", (name,)),
                    float(score[row, i]),
                    f"{name} is at {x:.0f}, {y:.0f}, far from where it is in other frames of this "
                    "video.",
                )


def _deviations(values: np.ndarray) -> np.ndarray:
    """Return how many robust deviations each value is from the median."""
    away = np.abs(values - np.nanmedian(values))
    deviations: np.ndarray = away / max(_MAD * float(np.nanmedian(away)), _HAND)
    return deviations


def _repeated(labels: Labels, repeat: Repeat, cutoff: float) -> Suspect:
    n, other, kind, apart = repeat
    frame, first = labels.frames[n], labels.frames[other]
    if kind == "copy":
        reason = f"All labels are exactly those of {first.image}, but the images differ."
    else:
        said = "" if np.isnan(apart) else f"; their labels differ by up to {apart:.0f} px"
        reason = f"The image is nearly that of {first.image}{said}."
    return Suspect(frame, kind, "", (), cutoff, reason, first)


def _explained(found: Iterable[Suspect]) -> Iterator[Suspect]:
    """Leave out what a worse finding about the same keypoints says already."""
    order: tuple[Kind, ...] = ("copy", "twin", "swap", "shape", "limb", "place")
    said: set[tuple[FrameName, str, str]] = set()
    for each in sorted(found, key=lambda one: order.index(one.kind)):
        cells = {(each.frame, each.individual, name) for name in each.keypoints}
        if not cells or not cells & said:
            yield each
        said |= cells


def _suspect(
    labels: Labels, row: int, kind: Kind, keypoints: tuple[str, ...], score: float, reason: str
) -> Suspect:
    """Return a suspect in a row of the animals of all frames."""
    n, i = divmod(int(row), len(labels.individuals))
    return Suspect(labels.frames[n], kind, labels.individuals[i], keypoints, score, reason)
