"""Tables in CSV, as DeepLabCut and Lightning Pose write them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posenb.errors import LabelError
from posenb.labels._table import Table, dataframe

__all__ = ["read_csv", "write_csv"]

_HEADERS = ("scorer", "individuals", "bodyparts", "coords")


def read_csv(path: Path) -> Table:
    """Read a table whose rows are named by one column or by three.

    Raises
    ------
    LabelError
        If the header or a number is not as it must be.
    """
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            levels, depth = _header(csv.reader(file))
            body = pd.read_csv(
                file,
                header=None,
                names=range(depth + len(levels[0])),
                converters=dict.fromkeys(range(depth), str),
                dtype={depth + j: np.float64 for j in range(len(levels[0]))},
                float_precision="round_trip",
                index_col=False,
            )
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise LabelError(
            f"A label or pose table is a CSV file with commas, as DeepLabCut writes it; this one "
            f"cannot be read ({str(error).strip()})."
        ) from error
    index = body.iloc[:, :depth].to_numpy(dtype=object)
    values = body.iloc[:, depth:].to_numpy(dtype=np.float64)
    return Table(tuple(zip(*levels, strict=True)), index, values)


def write_csv(path: Path, table: Table) -> None:
    """Write `table` with the shortest digits that give back the same numbers."""
    dataframe(table).to_csv(path, lineterminator="\n", encoding="utf-8")


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
    coords = levels[-1] if levels else []
    depth = next((i for i, cell in enumerate(coords[1:], start=1) if cell), 0)
    if not depth or len({len(level) for level in levels}) != 1:
        raise ValueError("the rows of the header name the same columns")
    return [level[depth:] for level in levels], depth
