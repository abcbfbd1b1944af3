"""Distances between predictions and labels."""

from __future__ import annotations

import numpy as np

from posenb.errors import InvalidInputError

__all__ = ["pixel_errors", "worst_frames"]


def pixel_errors(predicted: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Return how far each prediction is from its label.

    Parameters
    ----------
    predicted : ndarray, shape (N, I, K, 2)
        x, y in pixels of the image; NaN where nothing was found.
    labelled : ndarray, shape (N, I, K, 2)
        x, y in pixels of the same image; NaN where nothing is labelled.

    Returns
    -------
    ndarray, shape (N, I, K)
        Euclidean distances in pixels: NaN where nothing is labelled, infinite where
        a keypoint is labelled and nothing was found.

    Raises
    ------
    InvalidInputError
        If the shapes differ or are not as they must be.
    """
    predicted, labelled = np.asarray(predicted, np.float64), np.asarray(labelled, np.float64)
    if predicted.shape != labelled.shape or predicted.ndim != 4 or predicted.shape[-1] != 2:
        raise InvalidInputError(
            "Predictions and labels both have the shape (frames, individuals, keypoints, 2); got "
            f"{predicted.shape} and {labelled.shape}. Choose the same frames and keypoints."
        )
    distances = np.hypot(*np.moveaxis(predicted - labelled, -1, 0))
    present = np.isfinite(labelled).all(axis=-1)
    found = np.isfinite(predicted).all(axis=-1)
    return np.where(present, np.where(found, distances, np.inf), np.nan)


def worst_frames(errors: np.ndarray, count: int) -> np.ndarray:
    """Return which frames are predicted worst.

    Parameters
    ----------
    errors : ndarray, shape (N, I, K)
        Pixels, from `pixel_errors`.
    count : int
        How many frames at most.

    Returns
    -------
    ndarray of int, shape (at most `count`,)
        Indices of frames, the largest mean error over their labelled keypoints first;
        equal ones in the order given. Frames without any label are left out.
    """
    labelled = ~np.isnan(errors)
    counts = labelled.sum(axis=(1, 2))
    means = np.where(labelled, errors, 0).sum(axis=(1, 2)) / np.maximum(counts, 1)
    order = np.argsort(-means, kind="stable")
    chosen: np.ndarray = order[counts[order] > 0][:count]
    return chosen
