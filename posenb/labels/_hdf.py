"""Tables in HDF5, as pandas lays them out: read without unpickling, written reproducibly."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from posenb.errors import LabelError
from posenb.labels._plain import read_plain
from posenb.labels._table import Table, dataframe

if TYPE_CHECKING:
    import h5py

__all__ = ["KEY", "append_hdf", "read_hdf", "write_hdf"]

KEY = "df_with_missing"

# What every pandas before 3 writes. pandas 3 leaves it out, and DeepLabCut's older pandas
# then takes the file for one of pandas 0.10 and fails.
_PANDAS_VERSION = "0.15.2"

# What h5py and numpy raise over a damaged file, depending on where the damage is.
_DAMAGE = (OSError, RuntimeError, LookupError, TypeError, ValueError, MemoryError)


def read_hdf(path: Path) -> Table:
    """Read the one table in an HDF5 file that pandas wrote, in either of its formats.

    pandas itself would unpickle what it finds, and a file from elsewhere may hold
    anything; so the arrays are read as arrays and the names as plain text.

    Raises
    ------
    LabelError
        If this is not HDF5, holds no or several tables, or holds pickled objects.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            group = _group(file)
            kind = _text(group.attrs["pandas_type"])
            return _read_frame_table(group) if kind == "frame_table" else _read_frame(group)
    except _DAMAGE as error:
        raise LabelError(
            f"A label or pose table is an HDF5 file as pandas and DeepLabCut write it; this one "
            f"cannot be read ({error}). If there is a .csv beside it, read that one."
        ) from error


def write_hdf(path: Path, table: Table, *, appendable: bool) -> bool:
    """Write `table` so that the same table gives the same bytes.

    Parameters
    ----------
    path : Path
    table : Table
    appendable : bool
        Use pandas' format "table" (DeepLabCut's for predictions) where the names of
        the columns fit into an HDF5 attribute (64 KiB, about 900 keypoints), else its
        format "fixed". ``pandas.read_hdf`` reads both alike.

    Returns
    -------
    bool
        Whether it is in the format "table", so that rows can be added.
    """
    import pandas as pd
    from tables.exceptions import HDF5ExtError

    frame = dataframe(table)
    if appendable and len(frame):  # pandas appends nothing for no rows
        try:
            with pd.HDFStore(str(path), mode="w") as store:
                store.put(KEY, frame, format="table", track_times=False, index=False)
                store.root._v_file.get_node("/", KEY)._v_attrs.pandas_version = _PANDAS_VERSION
            return True
        except HDF5ExtError:
            path.unlink(missing_ok=True)
    with pd.HDFStore(str(path), mode="w") as store:
        # pandas passes track_times on in the format "table" only, and PyTables would
        # stamp each array with the time of writing.
        file: Any = store.root._v_file
        for make in ("create_array", "create_carray", "create_earray", "create_vlarray"):
            setattr(file, make, partial(getattr(file, make), track_times=False))
        store.put(KEY, frame, format="fixed", track_times=False)
        file.get_node("/", KEY)._v_attrs.pandas_version = _PANDAS_VERSION
    return False


def append_hdf(path: Path, table: Table) -> None:
    """Add the rows of `table` to a file of the format "table" with the same columns."""
    import pandas as pd

    with pd.HDFStore(str(path), mode="a") as store:
        store.put(
            KEY, dataframe(table), format="table", append=True, track_times=False, index=False
        )
        store.root._v_file.get_node("/", KEY)._v_attrs.pandas_version = _PANDAS_VERSION


def _group(file: h5py.File) -> h5py.Group:
    keys = [key for key in file if "pandas_type" in file[key].attrs]
    if KEY in keys:
        keys = [KEY]
    if len(keys) != 1:
        listing = ", ".join(keys) if keys else "none"
        raise ValueError(f"one table is expected in the file, {listing} found")
    group: h5py.Group = file[keys[0]]
    return group


def _read_frame_table(group: h5py.Group) -> Table:
    table = group["table"]
    ((_, names),) = read_plain(bytes(group.attrs["non_index_axes"]))
    columns = tuple(_names(name) for name in names)
    position = {name: j for j, name in enumerate(columns)}
    values = np.full((len(table), len(columns)), np.nan)
    for block in read_plain(bytes(group.attrs["values_cols"])):
        kind = read_plain(bytes(table.attrs[f"{block}_kind"]))
        chosen = [position[_names(name)] for name in kind]
        values[:, chosen] = _numbers(table[block]).reshape(len(table), len(chosen))
    kind = _text(table.attrs["index_kind"])
    return Table(columns, _row_names(table["index"], kind, _encoding(group)), values)


def _read_frame(group: h5py.Group) -> Table:
    names = _axis(group, "axis0")
    columns = tuple(tuple(str(part) for part in row) for row in names)
    position = {name: j for j, name in enumerate(columns)}
    index = _axis(group, "axis1")
    values = np.full((len(index), len(columns)), np.nan)
    for block in range(int(group.attrs["nblocks"])):
        items = _axis(group, f"block{block}_items")
        chosen = [position[tuple(str(part) for part in row)] for row in items]
        dataset = group[f"block{block}_values"]
        if not _is_empty(dataset):
            numbers = _numbers(dataset[()])
            values[:, chosen] = numbers if dataset.attrs.get("transposed") else numbers.T
    return Table(columns, index, values)


def _axis(group: h5py.Group, name: str) -> np.ndarray:
    encoding = _encoding(group)
    if _text(group.attrs[f"{name}_variety"]) == "regular":
        kind = _text(group[name].attrs["kind"])
        return _row_names(_stored(group[name]), kind, encoding)
    levels = []
    for i in range(int(group.attrs[f"{name}_nlevels"])):
        codes = _numbers(_stored(group[f"{name}_label{i}"])).astype(np.intp)
        if not len(codes):
            return np.empty((0, 1), dtype=object)  # pandas pickles the levels of no rows
        level = group[f"{name}_level{i}"]
        known = _row_names(_stored(level), _text(level.attrs["kind"]), encoding)[:, 0]
        # code -1 is pandas' missing name; it points at the empty name put at the end
        levels.append(np.append(known.astype(object), "")[codes])
    return np.stack(levels, axis=1)


def _row_names(names: np.ndarray, kind: str, encoding: str) -> np.ndarray:
    if kind == "integer":
        return names.astype(np.int64).reshape(-1, 1)
    if kind == "string" and names.dtype.kind == "S":
        return np.array([name.decode(encoding) for name in names.tolist()], dtype=object)[:, None]
    raise ValueError(f"rows are named by text or whole numbers, not by {kind}")


def _stored(dataset: h5py.Dataset) -> np.ndarray:
    if _is_empty(dataset):
        return np.empty(0)
    array: np.ndarray = dataset[()]
    return array


def _is_empty(dataset: h5py.Dataset) -> bool:
    """Tell whether pandas put a placeholder here, as it does for arrays without elements."""
    return "value_type" in dataset.attrs and "shape" in dataset.attrs


def _numbers(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "fiu":
        raise ValueError(f"numbers are expected, {array.dtype} found (pickled objects?)")
    return array.astype(np.float64)


def _names(name: Any) -> tuple[str, ...]:
    return tuple(str(part) for part in name) if isinstance(name, tuple) else (str(name),)


def _encoding(group: h5py.Group) -> str:
    return _text(group.attrs.get("encoding", b"UTF-8"))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
