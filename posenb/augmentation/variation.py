"""Drawing how each training window differs from its frame: a few numbers a window.

The numbers are drawn on the host from (seed, step) alone, so that a resumed run sees
exactly what an uninterrupted one would, on every backend. The device applies them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from posenb.core import AugmentationConfig, Labels
from posenb.errors import TrainingWarning

__all__ = ["Habits", "Variation", "draw_variation", "find_habits"]

PATCHES = 2
_ROTATION = (15.0, 180.0)  # degrees
_FREE_SPREAD = 30.0  # degrees; a wider circular standard deviation means filmed from above
_ANYWHERE = 0.15  # share of windows that ignore the animal, so that background is seen too
_PATCH_SIDE = (0.05, 0.2)  # share of the window


@dataclass(frozen=True, slots=True)
class Habits:
    """How far the animals of a project may be turned and mirrored.

    Parameters
    ----------
    rotation : float
        Largest rotation either way, degrees.
    flip : bool
        Whether half of the windows are mirrored.
    """

    rotation: float
    flip: bool


class Variation(NamedTuple):
    """What is done to a batch of B windows.

    Attributes
    ----------
    matrix : ndarray of float32, shape (B, 2, 3)
        From window pixels to frame pixels.
    mirrored : ndarray of float32, shape (B,)
        1 where left and right trade names.
    gain, shift : ndarray of float32, shape (B,)
        Grey level becomes (level - 127.5) x gain + 127.5 + shift.
    blur : ndarray of float32, shape (B,)
        1 where the window is blurred.
    noise : ndarray of float32, shape (B,)
        Standard deviation in grey levels.
    patches : ndarray of float32, shape (B, P, 5)
        x1, y1, x2, y2 in window pixels and grey level of what hides the animal.
    """

    matrix: np.ndarray
    mirrored: np.ndarray
    gain: np.ndarray
    shift: np.ndarray
    blur: np.ndarray
    noise: np.ndarray
    patches: np.ndarray


def find_habits(labels: Labels, config: AugmentationConfig) -> Habits:
    """Resolve "auto" from the directions in which the labelled animals face.

    The heading is the direction between the two keypoints that lie farthest apart on
    average. Rotations reach the circular standard deviation of the headings:
    where gravity or a rig decides what is up, hardly any; where animals are filmed from
    above, all of them. Mirroring is natural only in the second case, and only where each
    keypoint that names a side has its partner (`Skeleton.unpaired_sides`): else left and
    right would be taught against each other.

    Warns
    -----
    TrainingWarning
        If mirroring was asked for all the same.
    """
    unpaired = labels.skeleton.unpaired_sides()
    if unpaired and config.flip == "horizontal":
        warnings.warn(
            "A mirrored image trades left for right keypoints, so each needs its partner; "
            f"{', '.join(unpaired)} seem to name a side and have none. Rename them (as "
            "ear_left, ear_right), or train with flip='none'.",
            TrainingWarning,
            stacklevel=2,
        )
    resultant = _resultant_length(labels.positions)
    # Rounding may leave the length of equal headings a little above 1.
    spread = np.rad2deg(np.sqrt(-2 * np.log(np.clip(resultant, 1e-9, 1.0))))
    rotation = np.clip(spread, *_ROTATION) if config.rotation == "auto" else config.rotation
    flip = config.flip == "horizontal" or (
        config.flip == "auto" and spread > _FREE_SPREAD and not unpaired
    )
    return Habits(float(rotation), bool(flip))


def _resultant_length(positions: np.ndarray) -> float:
    points = positions.reshape(-1, positions.shape[2], 2)
    if points.shape[1] < 2:
        return 1.0
    difference = points[:, :, None] - points[:, None, :]
    distance = np.linalg.norm(difference, axis=-1)
    known = ~np.isnan(distance)
    mean = np.where(known, distance, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    a, b = np.unravel_index(int(mean.argmax()), mean.shape)
    heading = difference[:, a, b][known[:, a, b]]
    if len(heading) < 2:
        return 1.0
    unit = heading / np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), 1e-9)
    return float(np.linalg.norm(unit.mean(axis=0)))


def draw_variation(
    keypoints: np.ndarray,
    sizes: np.ndarray,
    window: int,
    config: AugmentationConfig,
    habits: Habits,
    generator: np.random.Generator,
) -> Variation:
    """Draw the variation of a batch.

    Parameters
    ----------
    keypoints : ndarray, shape (B, K, 2)
        x, y in frame pixels; NaN = absent.
    sizes : ndarray of int, shape (B, 2)
        Height and width of each frame.
    window : int
        Side of the square window, pixels.
    config : AugmentationConfig
    habits : Habits
    generator : numpy.random.Generator

    Returns
    -------
    Variation
    """
    count = len(keypoints)
    angle = np.deg2rad(generator.uniform(-1, 1, count) * habits.rotation)
    zoom = np.exp(generator.uniform(-1, 1, count) * np.log1p(config.zoom))
    mirrored = (generator.random(count) < 0.5) & habits.flip
    centre = _window_centres(keypoints, sizes, window, config.translation, generator)
    return Variation(
        _matrices(centre, angle, zoom, mirrored, window).astype(np.float32),
        mirrored.astype(np.float32),
        (1 + generator.uniform(-1, 1, count) * config.contrast).astype(np.float32),
        (127.5 * generator.uniform(-1, 1, count) * config.brightness).astype(np.float32),
        (generator.random(count) < config.blur).astype(np.float32),
        (generator.random(count) * config.noise).astype(np.float32),
        _patches(count, window, config.occlusion, generator),
    )


def _window_centres(
    keypoints: np.ndarray,
    sizes: np.ndarray,
    window: int,
    translation: float,
    generator: np.random.Generator,
) -> np.ndarray:
    extent = sizes[:, ::-1].astype(np.float64)
    anywhere = generator.random((len(keypoints), 2)) * extent - 0.5
    jitter = generator.uniform(-1, 1, anywhere.shape) * translation * window
    centre = np.empty_like(anywhere)
    for i, points in enumerate(keypoints):
        seen = points[~np.isnan(points[:, 0])]
        # Where the animal is larger than the window, every part of it gets its turn.
        middle = (seen.min(axis=0) + seen.max(axis=0)) / 2 if len(seen) else anywhere[i]
        if len(seen) and (np.ptp(seen, axis=0) > window).any():
            middle = seen[generator.integers(len(seen))]
        centre[i] = middle + jitter[i]
    ignore = generator.random(len(centre)) < _ANYWHERE
    return np.where(ignore[:, None], anywhere, centre)


def _matrices(
    centre: np.ndarray, angle: np.ndarray, zoom: np.ndarray, mirrored: np.ndarray, window: int
) -> np.ndarray:
    cosine, sine = np.cos(angle) / zoom, np.sin(angle) / zoom
    side = np.where(mirrored, -1.0, 1.0)
    linear = np.stack(
        [np.stack([cosine * side, -sine], axis=1), np.stack([sine * side, cosine], axis=1)], axis=1
    )
    middle = np.full(2, (window - 1) / 2)
    return np.concatenate([linear, (centre - linear @ middle)[..., None]], axis=2)


def _patches(
    count: int, window: int, probability: float, generator: np.random.Generator
) -> np.ndarray:
    side = generator.uniform(*_PATCH_SIDE, (count, PATCHES, 2)) * window
    side *= (generator.random((count, PATCHES)) < probability)[..., None]
    middle = generator.uniform(0.25, 0.75, (count, PATCHES, 2)) * window
    grey = generator.uniform(0, 255, (count, PATCHES, 1))
    return np.concatenate([middle - side / 2, middle + side / 2, grey], axis=2).astype(np.float32)
