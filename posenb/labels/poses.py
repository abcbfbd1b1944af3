"""Poses as files, in the layout of DeepLabCut's predictions."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

import numpy as np

from posenb import storage
from posenb.core import Poses
from posenb.errors import InvalidInputError, LabelError
from posenb.labels._csv import append_csv, write_csv
from posenb.labels._hdf import append_hdf, write_hdf
from posenb.labels._table import Grid, Table, dataframe, from_grid, to_grid
from posenb.labels.files import SUFFIXES, read_table, table_suffix

__all__ = ["SPREAD", "pose_header", "read_poses", "spread_url", "write_poses"]

SPREAD = "_spread"
"""What the names of tables with a spread end in."""

_COORDS = ("x", "y", "likelihood")
_SPREAD_COORDS = ("spread",)
# Written at a time, so that poses of a long video are not held several times over.
_ROWS = 20_000


def write_poses(url: storage.Url, poses: Poses) -> str:
    """Write poses as ``.h5`` and ``.csv``, readable by DeepLabCut, movement and pandas.

    The same poses give the same bytes. The ``.h5`` comes last: where it is there, both
    are. The spread of an ensemble goes into tables of its own beside them afterwards,
    ``..._spread.h5`` and ``.csv``: DeepLabCut and movement count on three columns a
    keypoint and would take a fourth for a coordinate.

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
    for suffix in SUFFIXES:  # a spread must never lie beside other poses than its own
        storage.remove(stem + SPREAD + suffix)
    _write(stem, poses, _COORDS)
    if poses.spread is not None:
        _write(stem + SPREAD, poses, _SPREAD_COORDS)
    return f"{stem}.h5"


def pose_header(poses: Poses) -> str:
    """Return the lines of a ``.csv`` above its rows, for whoever writes these one by one."""
    text = dataframe(_table(poses, _COORDS, slice(0, 0))).to_csv(lineterminator="\n")
    return str(text)


def _write(stem: str, poses: Poses, coords: tuple[str, ...]) -> None:
    table = partial(_table, poses, coords)
    first, *rest = (slice(start, start + _ROWS) for start in range(0, max(len(poses), 1), _ROWS))
    with storage.writing(f"{stem}.csv") as path:
        write_csv(path, table(first))
        for rows in rest:
            append_csv(path, table(rows))
    with storage.writing(f"{stem}.h5") as path:
        appendable = write_hdf(path, table(first), appendable=True)
        if rest and not appendable:
            write_hdf(path, table(slice(None)), appendable=False)
        for rows in rest if appendable else ():
            append_hdf(path, table(rows))


def _table(poses: Poses, coords: tuple[str, ...], rows: slice) -> Table:
    assert poses.frames is not None
    if coords == _SPREAD_COORDS:
        assert poses.spread is not None
        values = poses.spread[rows, ..., None]
    else:
        parts = [poses.positions[rows], poses.likelihoods[rows, ..., None]]
        values = np.concatenate(parts, axis=-1)
    grid = Grid(values, poses.skeleton, poses.individuals, poses.scorer)
    return from_grid(grid, coords, poses.frames[rows, None])


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
        poses = Poses(
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
    beside = spread_url(table_url)
    return _with_spread(poses, beside) if storage.exists(beside) else poses


def spread_url(table_url: str) -> str:
    """Return where the spread of the poses in the table `table_url` lies, if they have one."""
    stem, dot, suffix = table_url.rpartition(".")
    return f"{stem}{SPREAD}{dot}{suffix}"


def _with_spread(poses: Poses, url: str) -> Poses:
    table = read_table(url)
    try:
        grid = to_grid(table, _SPREAD_COORDS, poses.skeleton)
        frames = _frame_indices(table.index)
    except (InvalidInputError, LabelError) as error:
        raise LabelError(f"{url}: {error}") from error
    assert poses.frames is not None
    if not np.array_equal(frames, poses.frames) or grid.scorer != poses.scorer:
        raise LabelError(
            f"A spread belongs to the poses beside it; {url} has other frames or another scorer "
            f"than {poses.url}. Delete it, or analyze the video again."
        )
    return replace(poses, spread=grid.values[..., 0])


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
