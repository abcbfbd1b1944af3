"""How a body usually looks: a mean shape, and where it has each keypoint of an animal.

Points are complex numbers here, x + iy: turning, scaling and shifting a shape is then
``a * shape + b``.
"""

from __future__ import annotations

import numpy as np

__all__ = ["expected_places", "fit_pose", "mean_shape"]

_STARTS = 20  # animals that are tried as a first shape
_ROUNDS = 6
_LEAST = 3  # points that a shape can be compared by


def mean_shape(points: np.ndarray) -> np.ndarray:
    """Return the shape that most animals have, wherever they are and however turned.

    Generalised Procrustes analysis without reflection (Gower 1975), in which points that
    lie far off weigh little (Cauchy weights), begun from the one of twenty animals that is
    the most like all others.

    Parameters
    ----------
    points : ndarray of complex, shape (N, K)
        Animals; NaN = no position.

    Returns
    -------
    ndarray of complex, shape (K,)
        Around zero, as large as the animals are in the middle; NaN for keypoints that no
        animal with three points has.
    """
    there = ~np.isnan(points)
    usable = points[there.sum(axis=1) >= _LEAST]
    if not len(usable):
        return np.full(points.shape[1], complex(np.nan, np.nan))
    order = np.argsort(-(~np.isnan(usable)).sum(axis=1), kind="stable")
    fullest = order[: max(_STARTS, len(order) // 2)]
    starts = fullest[np.linspace(0, len(fullest) - 1, min(_STARTS, len(fullest))).astype(int)]
    shape = min((usable[n] for n in starts), key=lambda one: _unlike(one, usable))
    weights = np.ones(usable.shape)
    for _ in range(_ROUNDS):
        a, b = fit_pose(usable, shape, weights)
        laid = (usable - b[:, None]) / a[:, None]
        shape = _weighted_mean(laid, weights)
        away = np.abs(laid - shape)
        usual = np.nanmedian(away) or 1.0
        weights = 1 / (1 + np.nan_to_num(away / (2 * usual)) ** 2)
    size = float(np.nanmedian(np.abs(a)))
    centred: np.ndarray = (shape - np.nanmean(shape)) * size
    return centred


def fit_pose(
    points: np.ndarray, shape: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Turn, scale and shift a shape onto each animal, by least squares.

    Parameters
    ----------
    points : ndarray of complex, shape (N, K)
        Animals; NaN = no position.
    shape : ndarray of complex, shape (K,)
    weights : ndarray, shape (N, K), optional
        How much each point counts.

    Returns
    -------
    a, b : ndarray of complex, shape (N,)
        Such that ``a * shape + b`` comes near the points; NaN for animals that share fewer
        than two points with the shape.
    """
    there = ~(np.isnan(points) | np.isnan(shape))
    given = np.where(there, 1.0 if weights is None else weights, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = given / given.sum(axis=1, keepdims=True)
        model, found = np.where(there, shape, 0), np.where(there, points, 0)
        middle, centre = (share * model).sum(axis=1), (share * found).sum(axis=1)
        model, found = model - middle[:, None], found - centre[:, None]
        spread = (share * np.abs(model) ** 2).sum(axis=1)
        a = (share * found * model.conj()).sum(axis=1) / spread
    a = np.where((there.sum(axis=1) >= 2) & (np.abs(a) > 0), a, np.nan)
    return a, centre - a * middle


def expected_places(
    points: np.ndarray, shape: np.ndarray, without: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Tell where the shape has some keypoints, judged by all others.

    Parameters
    ----------
    points : ndarray of complex, shape (N, K)
    shape : ndarray of complex, shape (K,)
    without : tuple of int
        The keypoints that have no say.

    Returns
    -------
    places : ndarray of complex, shape (N, len(without))
        NaN where fewer than two others are there.
    scale : ndarray, shape (N,)
        How many times larger than the shape each animal is.
    """
    others = points.copy()
    others[:, list(without)] = np.nan
    a, b = fit_pose(others, shape)
    return a[:, None] * shape[list(without)] + b[:, None], np.abs(a)


def _unlike(shape: np.ndarray, points: np.ndarray) -> float:
    """Return how far animals are from a shape, as a share of its size."""
    a, b = fit_pose(points, shape)
    away = np.abs(points - (a[:, None] * shape + b[:, None])) / np.abs(a)[:, None]
    size = np.nanmean(np.abs(shape - np.nanmean(shape)))
    known = away[~np.isnan(away)]
    return float(np.median(known) / size) if len(known) and size > 0 else np.inf


def _weighted_mean(points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    given = np.where(np.isnan(points), 0.0, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: np.ndarray = np.where(np.isnan(points), 0, points * given).sum(0) / given.sum(0)
    return mean
