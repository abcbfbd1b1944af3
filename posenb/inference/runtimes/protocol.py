"""What every runtime offers."""

from __future__ import annotations

from typing import Protocol

import numpy as np

__all__ = ["Crop", "Predict", "filled"]

Crop = tuple[int, int, int, int]
"""x1, x2, y1, y2 in pixels, the ends excluded."""


class Predict(Protocol):
    """A model compiled for raw frames of one format, by whatever runtime.

    Attributes
    ----------
    workers : int
        Calls that may be under way at once, from different threads, and are then faster
        than one after the other.
    """

    @property
    def workers(self) -> int:
        """Calls that may be under way at once."""
        ...

    def __call__(self, raw: np.ndarray, /) -> np.ndarray:
        """Find the keypoints.

        Parameters
        ----------
        raw : ndarray of uint8, shape (B, nbytes)
            Frames as their `FrameFormat` says; no more than the batch size compiled for.

        Returns
        -------
        ndarray of float32, shape (B, K, 3)
            x, y in pixels of the frame, or of its crop if there is one (integers are pixel
            centres), and likelihood.
        """
        ...


def filled(raw: np.ndarray, batch_size: int) -> np.ndarray:
    """Fill a batch up with black frames.

    So there is one shape to compile for, and the numbers of a frame do not depend on how
    many come with it.
    """
    lacking = batch_size - len(raw)
    return np.pad(raw, ((0, lacking), (0, 0))) if lacking else raw
