"""Test-time augmentation: a frame as it is, mirrored and at other sizes, and one pose of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posenb.core import FrameFormat
from posenb.inference.runtimes import Crop, Predict

__all__ = ["Variants", "VariedPredict", "combine", "mirror_frames", "mirrored_crop"]


@dataclass(frozen=True, slots=True)
class Variants:
    """In which forms a model sees every frame.

    Parameters
    ----------
    flip : bool
        Mirrored left to right too.
    scales : tuple of float
        Sizes relative to the one that the model was trained for.
    """

    flip: bool = False
    scales: tuple[float, ...] = (1.0,)

    @property
    def plain(self) -> bool:
        """Whether each frame is seen once, as it is."""
        return not self.flip and self.scales == (1.0,)

    def __str__(self) -> str:
        """Return a text that changes with them."""
        return f"flip={self.flip} scales={','.join(map(str, self.scales))}"


class VariedPredict:
    """Poses out of all variants of each frame, combined.

    Parameters
    ----------
    upright, mirrored : sequence of Predict
        One for each scale; `mirrored` for mirrored frames, empty without them.
    frames : FrameFormat
        Of the raw frames.
    width : int
        Pixels of what is looked at, the frame's or its crop's.
    pairs : sequence of (int, int)
        Keypoints that trade places in the mirror.
    reach : float
        As for `combine`, in pixels.
    """

    def __init__(
        self,
        upright: Sequence[Predict],
        mirrored: Sequence[Predict],
        frames: FrameFormat,
        width: int,
        pairs: Sequence[tuple[int, int]],
        reach: float,
    ) -> None:
        self._upright, self._mirrored = tuple(upright), tuple(mirrored)
        self._frames, self._width, self._pairs = frames, width, pairs
        self._reach = reach
        self.workers = min(each.workers for each in upright)

    def __call__(self, raw: np.ndarray, /) -> np.ndarray:
        """Return the poses of `raw`."""
        poses = [predict(raw) for predict in self._upright]
        if self._mirrored:
            mirror = mirror_frames(raw, self._frames)
            poses += [self._back(predict(mirror)) for predict in self._mirrored]
        return combine(np.stack(poses), self._reach)

    def _back(self, poses: np.ndarray) -> np.ndarray:
        order = np.arange(poses.shape[1])
        for left, right in self._pairs:
            order[[left, right]] = right, left
        back = poses[:, order]
        back[..., 0] = self._width - 1 - back[..., 0]
        return back


def mirror_frames(raw: np.ndarray, frames: FrameFormat) -> np.ndarray:
    """Mirror raw frames left to right.

    Parameters
    ----------
    raw : ndarray of uint8, shape (B, nbytes)
    frames : FrameFormat
        Their format. Where two pixels share chroma and the width is odd, chroma is off
        by one pixel in the mirror.

    Returns
    -------
    ndarray of uint8, shape (B, nbytes)
    """
    packed = 3 if frames.kind == "rgb" else 1
    parts, start = [], 0
    for height, width in frames.planes:
        plane = raw[:, start : start + height * width]
        start += height * width
        pixels = plane.reshape(len(raw), height, width // packed, packed)
        parts.append(pixels[:, :, ::-1].reshape(len(raw), -1))
    return np.concatenate(parts, axis=1)


def mirrored_crop(crop: Crop | None, width: int) -> Crop | None:
    """Return where a crop lies in the mirrored frame, which is `width` pixels wide."""
    return None if crop is None else (width - crop[1], width - crop[0], crop[2], crop[3])


def combine(poses: np.ndarray, reach: float) -> np.ndarray:
    """Make one pose of several of the same frame.

    Variants that found a keypoint elsewhere do not pull it away from where most did: the
    position is the mean, weighted by likelihood, of those within `reach` of the median
    that is weighted likewise, and the likelihood their sum over the number of all. So it
    is low where variants disagree.

    Parameters
    ----------
    poses : ndarray, shape (V, B, K, 3)
        x, y in pixels and likelihood.
    reach : float
        Pixels.

    Returns
    -------
    ndarray, of the same dtype, shape (B, K, 3)
    """
    positions, likelihoods = poses[..., :2], poses[..., 2]
    weights = np.maximum(likelihoods, np.finfo(np.float32).tiny)
    middle = _weighted_median(positions, weights[..., None])
    near = np.hypot(*np.moveaxis(positions - middle, -1, 0)) <= reach
    # The median takes x and y each by itself and may lie near none: then the likeliest counts.
    likeliest = np.arange(len(poses))[:, None, None] == weights.argmax(axis=0)
    shares = np.where(near | (likeliest & ~near.any(axis=0)), weights, 0)
    total = shares.sum(axis=0)
    mean = (positions * shares[..., None]).sum(axis=0) / total[..., None]
    return np.concatenate([mean, total[..., None] / len(poses)], axis=-1).astype(poses.dtype)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the least value along the first axis with half of the weight at or below it."""
    order = values.argsort(axis=0)
    ranked = np.take_along_axis(values, order, axis=0)
    below = np.take_along_axis(np.broadcast_to(weights, values.shape), order, axis=0).cumsum(axis=0)
    first = (2 * below >= below[-1:]).argmax(axis=0, keepdims=True)
    median: np.ndarray = np.take_along_axis(ranked, first, axis=0)[0]
    return median
