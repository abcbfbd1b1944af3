"""Which frames a step sees and how they vary: decided by (seed, step) alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from posenb.augmentation import Habits, Variation, draw_variation
from posenb.core import TrainConfig
from posenb.training.frames import Frames

__all__ = ["Batch", "batch_at", "frames_of_step", "prefetch"]

Batch = dict[str, np.ndarray]

_ORDER, _VARIATION = 1, 2
_AHEAD = 4


def frames_of_step(step: int, count: int, size: int, seed: int) -> np.ndarray:
    """Draw the frames of one step, each once before any comes again.

    Parameters
    ----------
    step : int
        Zero-based.
    count : int
        How many frames there are.
    size : int
        How many one step takes.
    seed : int
        Decides the order.

    Returns
    -------
    ndarray of int, shape (size,)
        Indices of frames.
    """
    places = np.arange(step * size, (step + 1) * size)
    rounds = places // count
    order = {
        r: np.random.default_rng([seed, _ORDER, r]).permutation(count) for r in np.unique(rounds)
    }
    return np.array([order[r][p % count] for r, p in zip(rounds, places, strict=True)])


def batch_at(step: int, frames: Frames, window: int, config: TrainConfig, habits: Habits) -> Batch:
    """Assemble what the compiled step needs, from (seed, step) alone.

    Parameters
    ----------
    step : int
        Zero-based.
    frames : Frames
        The frames that train.
    window : int
        Side of the square training window, pixels.
    config : TrainConfig
        Batch size, seed and augmentation.
    habits : Habits
        What the labels say of how the animals move.

    Returns
    -------
    dict of ndarray
        ``frames`` (B, H, W, 3) uint8, ``sizes`` (B, 2), ``keypoints`` (B, K, 2) with
        zeros where absent, ``present`` (B, K), and the fields of `Variation`.
    """
    chosen = frames_of_step(step, len(frames), config.batch_size, config.seed)
    keypoints, sizes = frames.keypoints[chosen], frames.sizes[chosen]
    generator = np.random.default_rng([config.seed, _VARIATION, step])
    variation: Variation = draw_variation(
        keypoints, sizes, window, config.augmentation, habits, generator
    )
    return {
        "frames": frames.images[chosen],
        "sizes": sizes,
        "keypoints": np.nan_to_num(keypoints).astype(np.float32),
        "present": (~np.isnan(keypoints[..., 0])).astype(np.float32),
        **variation._asdict(),
    }


def prefetch(make: Callable[[int], Batch], start: int, stop: int) -> Iterator[tuple[Batch]]:
    """Yield the batches of steps `start` to `stop` (excluded), made ahead in a thread."""
    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(make, step) for step in range(start, min(start + _AHEAD, stop))]
        for step in range(start + _AHEAD, stop + _AHEAD):
            batch = waiting.pop(0).result()
            if step < stop:
                waiting.append(pool.submit(make, step))
            yield (batch,)
