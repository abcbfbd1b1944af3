"""How far a model contradicts itself on frames without labels, and where it can be believed.

The same animal mirrored, shown larger or smaller, and one frame earlier or later must be found in
the same place. What a model finds in all these views is what it may teach itself (Radosavovic et
al., "Data distillation: towards omni-supervised learning", CVPR 2018); how far the views are
apart tells something of how well it sees a video, without a single label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from posenb.core import Skeleton

__all__ = ["BESIDE", "Consistency", "Glance", "believe", "glance", "judge", "moved", "strayed"]

BESIDE = (-1, 0, 1)
"""Frames of a moment, relative to the one that counts."""

_SCALES = (0.8, 1.25)
_FOUND = 0.6  # likelihood from which a point counts as found
_TOGETHER = 0.05  # of an animal's length: views that lie nearer agree
_STEADY = 0.1  # of an animal's length off the middle between the frames before and after
_APART = 0.1  # of an animal's length: views farther apart contradict each other, however far
_FAR = 0.5  # of an animal's length: a jump that is farther is simply wrong
_HALF = 0.5  # of the share of points that the plain view finds; a view with less is no view
_OFTEN = 0.25  # of the frames in which a keypoint must be sure for its mean to count

Look = Callable[[np.ndarray, float], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What a model finds in N moments.

    Parameters
    ----------
    views : ndarray, shape (V, N, K, 3)
        x, y in pixels of the frames, and likelihood; the plain view first, then the mirrored
        one, where names tell left from right, and scaled ones, brought back.
    beside : ndarray, shape (2, N, K, 3)
        In the plain view of the frames before and after.
    """

    views: np.ndarray
    beside: np.ndarray

    @property
    def telling(self) -> tuple[int, ...]:
        """Views that tell something: the plain one, and those that find half as much or more.

        A model that learned from animals seen from one side does not know them mirrored.
        """
        found = (self.views[..., 2] >= _FOUND).mean(axis=(1, 2))
        return (0, *(n for n in range(1, len(found)) if found[n] >= _HALF * found[0]))

    def of(self, views: tuple[int, ...]) -> Glance:
        """Return some of the views alone."""
        return Glance(self.views[list(views)], self.beside)

    @property
    def found(self) -> np.ndarray:
        """Whether the plain view finds a point, shape (N, K)."""
        found: np.ndarray = self.views[0, ..., 2] >= _FOUND
        return found

    @property
    def apart(self) -> np.ndarray:
        """Root mean square distance of the views from their mean, pixels, shape (N, K)."""
        off = self.views[..., :2] - self.views[..., :2].mean(axis=0)
        spread: np.ndarray = np.sqrt((off**2).sum(axis=-1).mean(axis=0))
        return spread

    @property
    def jump(self) -> np.ndarray:
        """Distance from the middle between the frames before and after, pixels, shape (N, K).

        NaN where the point is not found in all three.
        """
        distance = np.linalg.norm(
            self.views[0, ..., :2] - self.beside[..., :2].mean(axis=0), axis=-1
        )
        found = self.found & (self.beside[..., 2] >= _FOUND).all(axis=0)
        return np.where(found, distance, np.nan)

    def sure(self, length: float) -> np.ndarray:
        """Tell which points are found, the same in all views, and steady, shape (N, K).

        `length` is that of the animals, pixels.
        """
        agreed: np.ndarray = (self.apart <= _TOGETHER * length) & (self.jump <= _STEADY * length)
        return agreed


@dataclass(frozen=True, slots=True)
class Consistency:
    """How a model does on frames without labels.

    Parameters
    ----------
    apart : float
        Mean distance of the views of one frame over all points, found or not, pixels; more than
        a tenth of an animal counts as that.
    jump : float
        Mean distance of the found points from the middle between the frames before and after,
        pixels; NaN where none is found three times in a row.
    found : float
        Share of the points that are found, 0 to 1.
    """

    apart: float
    jump: float
    found: float


def glance(look: Look, moments: Iterable[np.ndarray], skeleton: Skeleton) -> Glance:
    """Let a model look at moments plain, mirrored, smaller and larger.

    Parameters
    ----------
    look : callable
        Takes frames, uint8 of shape (N, H, W, 3), and how much larger than they are they are
        to be shown; gives x, y in pixels of the frames and likelihood, shape (N, K, 3).
    moments : iterable of ndarray of uint8, shape (N, 3, H, W, 3)
        RGB, some moments at a time; of each the frame before, the one that counts and the one
        after.
    skeleton : Skeleton
        Whose names tell left from right.

    Returns
    -------
    Glance
        Of all moments.
    """
    parts = [_all_views(look, some, skeleton) for some in moments]
    *views, before, after = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Glance(np.stack(views), np.stack([before, after]))


def _all_views(look: Look, some: np.ndarray, skeleton: Skeleton) -> list[np.ndarray]:
    frames = some[:, BESIDE.index(0)]
    views = [look(frames, 1.0)]
    if not skeleton.unpaired_sides():  # else nobody can tell what a mirrored keypoint is
        mirrored = look(np.ascontiguousarray(frames[:, :, ::-1]), 1.0)
        views.append(_mirrored_back(mirrored, frames.shape[2], skeleton))
    return [
        *views,
        *(look(frames, scale) for scale in _SCALES),
        look(some[:, 0], 1.0),
        look(some[:, -1], 1.0),
    ]


def _mirrored_back(poses: np.ndarray, width: int, skeleton: Skeleton) -> np.ndarray:
    order = list(range(len(skeleton)))
    for a, b in skeleton.mirror_pairs():
        order[a], order[b] = b, a
    back = poses[:, order]
    back[..., 0] = width - 1 - back[..., 0]
    return back


def judge(seen: Glance, length: float) -> Consistency:
    """Sum up how far a model contradicts itself.

    Views count for all points, found or not, so that a model does not become better by finding
    less. The distance of views counts up to a tenth of an animal's length, so that the few points
    that are not there at all do not decide; a jump up to half of it.

    Parameters
    ----------
    seen : Glance
    length : float
        Of the animals, pixels.
    """
    jumps = seen.jump[~np.isnan(seen.jump)]
    return Consistency(
        apart=float(np.minimum(seen.apart, _APART * length).mean()),
        jump=float(np.minimum(jumps, _FAR * length).mean()) if len(jumps) else float("nan"),
        found=float(seen.found.mean()),
    )


def moved(before: Glance, after: Glance, length: float) -> float:
    """Return how far a model moved what another one was sure of.

    Parameters
    ----------
    before, after : Glance
        Of the same moments.
    length : float
        Of the animals, pixels.

    Returns
    -------
    float
        Mean distance of the keypoint that moved most, pixels; NaN where none was often sure.
    """
    sure = before.sure(length)
    distance = np.linalg.norm(after.views[0, ..., :2] - before.views[0, ..., :2], axis=-1)
    often = sure.mean(axis=0) >= _OFTEN
    if not often.any():
        return float("nan")
    means = np.where(sure, distance, 0).sum(axis=0)[often] / sure.sum(axis=0)[often]
    return float(means.max())


def strayed(before: Glance, after: Glance, taught: np.ndarray) -> float:
    """Return how far a model moved what nobody taught it.

    What it learns of some keypoints changes how it sees the others, and makes it sure of them
    for no reason.

    Parameters
    ----------
    before, after : Glance
        Of the same moments.
    taught : ndarray of bool, shape (K,)
        Keypoints from which it learned.

    Returns
    -------
    float
        Median distance of the other keypoint that moved most, pixels; 0 if there is none.
    """
    distance = np.linalg.norm(after.views[0, ..., :2] - before.views[0, ..., :2], axis=-1)
    return float(np.median(distance, axis=0)[~taught].max(initial=0.0))


def believe(seen: Glance, length: float) -> np.ndarray:
    """Return the points of which a model is sure.

    Parameters
    ----------
    seen : Glance
    length : float
        Of the animals, pixels.

    Returns
    -------
    ndarray, shape (N, K, 2)
        Mean of the views, pixels of the frames; NaN for the points that are not believed.
    """
    mean: np.ndarray = seen.views[..., :2].mean(axis=0)
    return np.where(seen.sure(length)[..., None], mean, np.nan)
