"""How large the animal of a video is, told by how sure a model is of it at several sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

__all__ = ["STEPS", "Sighting", "Size", "find_size", "see"]

STEPS = tuple(2 ** (step / 2) for step in range(-4, 5))
"""Sizes that are tried, relative to that of training: 1/4 to 4."""

_SURE = 0.5  # mean likelihood below which a peak may not be the animal
_NATIVE = 1.12  # nearer to the size of training than this is that size
_SLACK = 0.05  # less of likelihood for which the length of the animal decides
_CONFIDENT = 0.5


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a model sees when it takes the animal to be of some size.

    Parameters
    ----------
    likelihood : float
        Mean over frames and keypoints, 0 to 1.
    length : float
        Median diagonal of the confident keypoints, pixels; NaN where too few are.
    """

    likelihood: float
    length: float = math.nan


@dataclass(frozen=True, slots=True)
class Size:
    """How large an animal was found to be.

    Parameters
    ----------
    value : float
        Its length relative to that of the animals that the model learned from.
    likelihood : float
        Mean likelihood at that size.
    tried : mapping of float to float
        Likelihood by size.
    """

    value: float
    likelihood: float
    tried: Mapping[float, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep an own, read-only copy."""
        object.__setattr__(self, "tried", MappingProxyType(dict(self.tried)))


def find_size(look: Callable[[float], Sighting | None], body_length: float | None = None) -> Size:
    """Find the size at which a model is surest.

    From the size of training it is tried larger or smaller by steps of the square root of
    two as long as that makes the model surer; where it is nowhere sure, all steps are tried.
    The length of the animal as it is then found corrects the step: to the one beside it, if
    the model is nearly as sure there, and further wherever it is surer.

    Parameters
    ----------
    look : callable
        Gives what is seen if the animal is of a size; None if that cannot be tried.
    body_length : float, optional
        Of the animals that the model learned from, pixels.

    Returns
    -------
    Size
    """
    seen: dict[float, Sighting] = {}

    def at(size: float) -> float:
        if size not in seen:
            seen[size] = look(size) or Sighting(-1.0)
        return seen[size].likelihood

    place = _climb(at, STEPS.index(1.0))
    if at(STEPS[place]) < _SURE:
        place = max(range(len(STEPS)), key=lambda each: at(STEPS[each]))
    best = STEPS[place]
    if body_length is not None:
        best = _nearer(at, place, seen[best].length / body_length)
        exact = seen[best].length / body_length
        if best / 1.5 < exact < best * 1.5:  # false if it is NaN
            exact = 1.0 if 1 / _NATIVE < exact < _NATIVE else round(exact, 3)
            slack = _SLACK if exact == 1.0 else 0.0
            if STEPS[0] <= exact <= STEPS[-1] and at(exact) > at(best) - slack:
                best = exact
    tried = {
        size: found.likelihood for size, found in sorted(seen.items()) if found.likelihood >= 0
    }
    return Size(best, seen[best].likelihood, tried)


def _nearer(at: Callable[[float], float], place: int, exact: float) -> float:
    """Return the step beside `place` if it is nearer to a length and nearly as sure; else it.

    The length that is found hardly depends on the size that is tried, while a model may be
    a little surer of an animal that it sees smaller or larger than it is.
    """
    best = STEPS[place]
    near = [STEPS[each] for each in (place - 1, place + 1) if 0 <= each < len(STEPS)]
    for step in near:
        nearer = abs(math.log(step / exact)) < abs(math.log(best / exact)) if exact > 0 else False
        if nearer and at(step) > at(best) - _SLACK:
            return step
    return best


def _climb(at: Callable[[float], float], place: int) -> int:
    """Walk uphill from a place on the steps."""
    near = [each for each in (place - 1, place + 1) if 0 <= each < len(STEPS)]
    best = max(near, key=lambda each: at(STEPS[each]))
    if at(STEPS[best]) <= at(STEPS[place]):
        return place
    direction = best - place
    while 0 <= best + direction < len(STEPS) and at(STEPS[best + direction]) > at(STEPS[best]):
        best += direction
    return best


def see(poses: np.ndarray) -> Sighting:
    """Sum up the poses of some frames.

    Parameters
    ----------
    poses : ndarray, shape (N, K, 3)
        x, y in pixels and likelihood.

    Returns
    -------
    Sighting
    """
    confident = (poses[..., 2] >= _CONFIDENT)[..., None]
    found = np.where(confident, poses[..., :2], np.nan)
    whole = confident[..., 0].sum(axis=1) * 2 > poses.shape[1]
    lengths = [np.linalg.norm(np.ptp(each[~np.isnan(each[:, 0])], axis=0)) for each in found[whole]]
    length = float(np.median(lengths)) if lengths else math.nan
    return Sighting(float(poses[..., 2].mean()), length)
