"""Tables in CSV, as DeepLabCut and Lightning Pose write them."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from math import nan
from pathlib import Path

import numpy as np

from posenb.errors import LabelError
from posenb.labels._table import Table, dataframe

__all__ = ["append_csv", "read_csv", "write_csv"]

_COORDS = ("x", "y", "z", "likelihood", "spread")
_HEADERS = ("scorer", "individuals", "bodyparts", "coords")


def read_csv(path: Path) -> Table:
    """Read a table whose rows are named by one column or by three.

    Raises
    ------
    LabelError
        If the header, the length of a row or a number is not as it must be.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            levels, depth = _header(rows)
            names, numbers = _body(rows, depth, width=depth + len(levels[0]))
    except (ValueError, csv.Error) as error:
        raise LabelError(
            f"A label or pose table is a CSV file with commas, as DeepLabCut writes it; "
            f"{path.name} is not ({error}). If it was cut off, use its .h5 or an earlier version."
        ) from error
    index = np.array(names, dtype=object).reshape(-1, depth)
    return Table(tuple(zip(*levels, strict=True)), index, numbers)


def write_csv(path: Path, table: Table) -> None:
    """Write `table` with the shortest digits that give back the same numbers."""
    dataframe(table).to_csv(path, lineterminator="\n", encoding="utf-8")


def append_csv(path: Path, table: Table) -> None:
    """Add the rows of `table` to a file that `write_csv` wrote with the same columns."""
    dataframe(table).to_csv(path, mode="a", header=False, lineterminator="\n", encoding="utf-8")


def _header(rows: Iterator[list[str]]) -> tuple[list[list[str]], int]:
    """Return the levels of the column names and the number of columns that name the rows."""
    levels: list[list[str]] = []
    for row in rows:
        wanted = [name for name in _HEADERS[len(levels) :] if name in row[:1]]
        if not wanted:
            raise ValueError(
                f"the header has the rows scorer, bodyparts, coords and, with several animals, "
                f"individuals; got {row[:3]} in row {len(levels) + 1}"
            )
        levels.append(row)
        if wanted == ["coords"]:
            break
    depth = next((i for i, cell in enumerate(levels[-1]) if cell in _COORDS), 0) if levels else 0
    if not depth or levels[-1][0] != "coords" or len({len(level) for level in levels}) != 1:
        raise ValueError("the rows of its header do not name the same columns")
    return [level[depth:] for level in levels], depth


def _body(rows: Iterator[list[str]], depth: int, width: int) -> tuple[list[list[str]], np.ndarray]:
    names = []
    numbers = array("d")
    for row in rows:
        if not row:
            continue
        if len(row) != width:
            raise ValueError(f"row {'/'.join(row[:depth])} has {len(row)} cells, not {width}")
        names.append(row[:depth])
        numbers.extend([float(cell) if cell else nan for cell in row[depth:]])
    return names, np.frombuffer(numbers, dtype=np.float64).reshape(len(names), width - depth)
