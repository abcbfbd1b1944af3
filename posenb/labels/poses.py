"""Poses as files, in the layout of DeepLabCut's predictions."""

from __future__ import annotations

import os

import numpy as np

from posenb import storage
from posenb.core import Poses
from posenb.errors import InvalidInputError, LabelError
from posenb.labels._csv import append_csv, write_csv
from posenb.labels._hdf import append_hdf, write_hdf
from posenb.labels._table import Grid, Table, from_grid, to_grid
from posenb.labels.files import SUFFIXES, read_table, table_suffix

__all__ = ["read_poses", "write_poses"]

_COORDS = ("x", "y", "likelihood")
# Written at a time, so that poses of a long video are not held several times over.
_ROWS = 20_000


def write_poses(url: storage.Url, poses: Poses) -> str:
    """Write poses as ``.h5`` and ``.csv``, readable by DeepLabCut, movement and pandas.

    The same poses give the same bytes. The ``.h5`` comes last: where it is there, both
    are.

    Parameters
    ----------
    url : str or PathLike
        The table, with or without its suffix; or a folder (one that exists, or a URL
        that ends in a slash), where the table is called ``poses``.
    poses : Poses
        Frame rate and provenance have no place in the layout; keep them beside.

    Returns
    -------
    str
        URL of the ``.h5``.

    Raises
    ------
    LabelError
        If an individual bears the name ``single``, which DeepLabCut reserves.
    """
    stem = _stem(url)
    first, *rest = (slice(start, start + _ROWS) for start in range(0, max(len(poses), 1), _ROWS))
    with storage.writing(f"{stem}.csv") as path:
        write_csv(path, _table(poses, first))
        for rows in rest:
            append_csv(path, _table(poses, rows))
    with storage.writing(f"{stem}.h5") as path:
        appendable = write_hdf(path, _table(poses, first), appendable=True)
        if rest and not appendable:
            write_hdf(path, _table(poses, slice(None)), appendable=False)
        for rows in rest if appendable else ():
            append_hdf(path, _table(poses, rows))
    return f"{stem}.h5"


def _table(poses: Poses, rows: slice) -> Table:
    assert poses.frames is not None
    values = np.concatenate([poses.positions[rows], poses.likelihoods[rows, ..., None]], axis=-1)
    grid = Grid(values, poses.skeleton, poses.individuals, poses.scorer)
    return from_grid(grid, _COORDS, poses.frames[rows, None])


def read_poses(url: storage.Url) -> Poses:
    """Read poses that posenb, DeepLabCut or Lightning Pose wrote.

    Parameters
    ----------
    url : str or PathLike
        A ``.h5`` or ``.csv`` file; or the table without suffix or its folder, as in
        `write_poses`, where the ``.h5`` counts if there are both.

    Returns
    -------
    Poses
        Without frame rate and provenance, which the layout does not hold.

    Raises
    ------
    LabelError
        If there is no such table or it breaks the layout.
    """
    table_url = storage.resolve(url)
    if not table_url.endswith(SUFFIXES):
        stem = _stem(url)
        suffix = table_suffix(stem)
        if not suffix:
            raise LabelError(
                f"No poses at {url}: neither {storage.name(stem)}.h5 nor .csv is there. Analyze "
                "the video first, or name another file."
            )
        table_url = stem + suffix
    table = read_table(table_url)
    try:
        grid = to_grid(table, _COORDS)
        return Poses(
            grid.values[..., :2],
            grid.values[..., 2],
            grid.skeleton,
            _frame_indices(table.index),
            grid.individuals,
            scorer=grid.scorer,
            url=table_url,
        )
    except (InvalidInputError, LabelError) as error:
        raise LabelError(f"{table_url}: {error}") from error


def _stem(url: storage.Url) -> str:
    text = os.fspath(url)
    whole = storage.resolve(text)
    if text.endswith(SUFFIXES):
        return whole.rpartition(".")[0]
    return storage.join(whole, "poses") if text.endswith("/") or storage.is_folder(whole) else whole


def _frame_indices(index: np.ndarray) -> np.ndarray:
    if index.dtype.kind == "i":
        return index[:, 0]
    try:
        return np.array([int(name) for name in index[:, 0]], dtype=np.int64)
    except ValueError as error:
        raise LabelError(
            f"The rows of a pose table are numbered by frames ({error}). Labels are read with "
            "read_labels."
        ) from error
