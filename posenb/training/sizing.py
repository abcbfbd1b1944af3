"""How large the network sees the animals, and how much around them."""

from __future__ import annotations

import math

import numpy as np

from posenb.core import Labels, TrainConfig

__all__ = ["body_length", "choose_radius", "choose_scale", "choose_window", "keypoint_spacing"]

_BODY = 112.0  # pixels of the scaled input across an animal
_SPACING = 30.0  # pixels of the scaled input between neighbouring keypoints
_SCALES = (1.0, 0.75, 0.5, 1 / 3, 0.25, 0.2, 1 / 6, 0.125)
_AROUND = 2.0  # a window is this much longer than an animal
_WINDOW = (128, 320)
_REACH = 0.16  # of an animal's length: targets that reach farther cover its other keypoints
_RADIUS = (4.0, 17.0)  # less is too few cells to learn from; 17 is Mathis et al.'s (2018)


def body_length(labels: Labels) -> float:
    """Return the median diagonal of the labelled animals' boxes, source pixels.

    NaN where no animal has two labelled keypoints.
    """
    points = labels.positions.reshape(-1, len(labels.skeleton), 2)
    seen = points[(~np.isnan(points[..., 0])).sum(axis=1) >= 2]
    if len(seen) == 0:
        return math.nan
    extent = np.nanmax(seen, axis=1) - np.nanmin(seen, axis=1)
    return float(np.median(np.linalg.norm(extent, axis=1)))


def keypoint_spacing(labels: Labels) -> float:
    """Return the median distance from a keypoint to its nearest neighbour, source pixels.

    NaN where no animal has two labelled keypoints.
    """
    points = labels.positions.reshape(-1, len(labels.skeleton), 2)
    distance = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
    distance[:, np.eye(points.shape[1], dtype=bool)] = np.nan
    nearest = np.where(np.isnan(distance), np.inf, distance).min(axis=2)
    nearest = nearest[np.isfinite(nearest)]
    return float(np.median(nearest)) if len(nearest) else math.nan


def choose_scale(labels: Labels, config: TrainConfig) -> float:
    """Return the network input's size relative to the source.

    As small as it may be (time grows with its square) while an animal is at least 112
    pixels long and neighbouring keypoints lie at least 30 pixels apart; never
    enlarged.
    """
    if config.scale != "auto":
        return float(config.scale)
    length, spacing = body_length(labels), keypoint_spacing(labels)
    if not (length > 0 and spacing > 0):
        return 1.0  # nothing to go by: no two keypoints, or all in one place
    needed = max(_BODY / length, _SPACING / spacing)
    # A tenth less than needed is worth the step to the next cheaper scale.
    return min((s for s in _SCALES if s >= 0.9 * needed), default=1.0)


def choose_window(labels: Labels, scale: float, config: TrainConfig) -> int:
    """Return the side of the training windows, pixels of the scaled input."""
    if config.window != "auto":
        return int(config.window)
    length = body_length(labels) * scale * _AROUND
    side = _WINDOW[0] if math.isnan(length) else np.clip(length, *_WINDOW)
    return math.ceil(side / 32) * 32


def choose_radius(labels: Labels, scale: float, config: TrainConfig) -> float:
    """Return how far a keypoint's target reaches, pixels of the scaled input."""
    if config.radius != "auto":
        return float(config.radius)
    length = body_length(labels) * scale
    return _RADIUS[1] if math.isnan(length) else float(np.clip(_REACH * length, *_RADIUS))
