"""Long recordings made short enough to be drawn, without losing a peak."""

from __future__ import annotations

import numpy as np

__all__ = ["thin_out", "thin_path"]


def thin_out(times: np.ndarray, values: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Keep the lowest and the highest value of each column of pixels.

    Parameters
    ----------
    times, values : ndarray, shape (T,)
        `times` increase; NaN values are gaps.
    columns : int
        Columns over which the line is drawn.

    Returns
    -------
    times, values : ndarray, shape (N,)
        In their order, N at most twice the columns; all where they are no more than
        that. A column without any value keeps one gap.
    """
    if len(times) <= 2 * columns:
        return times, values
    borders = np.linspace(0, len(times), columns + 1).astype(int)
    known = np.isfinite(values)
    lowest = _first_of(np.where(known, values, np.inf), borders, np.minimum)
    highest = _first_of(np.where(known, values, -np.inf), borders, np.maximum)
    kept = np.unique(np.concatenate([lowest, highest]))
    return times[kept], values[kept]


def _first_of(values: np.ndarray, borders: np.ndarray, extreme: np.ufunc) -> np.ndarray:
    """Return where the extreme of each column first stands."""
    found = np.repeat(extreme.reduceat(values, borders[:-1]), np.diff(borders))
    hits = np.flatnonzero(values == found)
    columns = np.searchsorted(borders, hits, side="right") - 1
    return hits[np.unique(columns, return_index=True)[1]]


def thin_path(points: np.ndarray, step: float) -> np.ndarray:
    """Leave out the points of a path that stay in the same cell as the one before.

    Parameters
    ----------
    points : ndarray, shape (T, 2)
        NaN is a gap.
    step : float
        Side of a cell, in the unit of the points.

    Returns
    -------
    ndarray, shape (N, 2)
        In their order.
    """
    cells = np.floor(points / step)
    same = (cells[1:] == cells[:-1]) | (np.isnan(cells[1:]) & np.isnan(cells[:-1]))
    return points[np.concatenate([[True], ~same.all(axis=1)])] if len(points) else points
