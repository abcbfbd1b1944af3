"""The table DeepLabCut keeps labels and poses in, before it becomes a value or a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from posenb.core import Skeleton
from posenb.errors import InvalidInputError, LabelError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LEVELS", "SCENE", "Grid", "Table", "dataframe", "from_grid", "to_grid"]

LEVELS = {
    3: ("scorer", "bodyparts", "coords"),
    4: ("scorer", "individuals", "bodyparts", "coords"),
}
SCENE = "single"  # DeepLabCut's individual for the keypoints that exist once in the scene


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns named by 3 or 4 levels of text, rows named by paths or frame indices.

    Parameters
    ----------
    columns : tuple of tuple of str
        C names of 3 levels (scorer, keypoint, coordinate) or 4 (scorer, individual,
        keypoint, coordinate).
    index : ndarray, shape (R, L)
        Row names: text of L levels, or one level of int64.
    values : ndarray of float64, shape (R, C)
        Pixels or likelihoods; NaN = missing.
    """

    columns: tuple[tuple[str, ...], ...]
    index: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        """Check what reading foreign files may get wrong."""
        if not self.columns:
            raise LabelError("A label or pose table has at least one keypoint; this one has none.")
        depths = {len(column) for column in self.columns}
        if len(depths) != 1 or not depths <= LEVELS.keys():
            raise LabelError(
                "The columns of a label or pose table have the levels scorer, bodyparts, coords "
                "or scorer, individuals, bodyparts, coords; got columns of "
                f"{', '.join(map(str, sorted(depths)))} levels."
            )
        if len(set(self.columns)) != len(self.columns):
            twice = next(c for c in self.columns if self.columns.count(c) > 1)
            raise LabelError(f"Each column stands once; {'/'.join(twice)} stands twice.")


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A table's numbers, ordered by individual, keypoint and coordinate.

    Parameters
    ----------
    values : ndarray, shape (R, I, K, C)
        Keypoints that exist once in the scene stand with the first individual.
    skeleton : Skeleton
    individuals : tuple of str
    scorer : str
    """

    values: np.ndarray
    skeleton: Skeleton
    individuals: tuple[str, ...]
    scorer: str


def to_grid(table: Table, coords: tuple[str, ...], skeleton: Skeleton | None = None) -> Grid:
    """Order the columns of `table`.

    Parameters
    ----------
    table : Table
    coords : tuple of str
        The C coordinates to keep; others are left out.
    skeleton : Skeleton, optional
        Chooses and orders the keypoints; one that the table lacks is NaN.

    Raises
    ------
    LabelError
        If there is more than one scorer, a keypoint lacks a coordinate, names repeat,
        or no keypoint of `skeleton` is there.
    """
    scorers = sorted({column[0] for column in table.columns})
    if len(scorers) != 1:
        raise LabelError(
            f"A label or pose table has one scorer; this one has {', '.join(scorers)}. "
            "Keep each scorer in a file of its own."
        )
    parts = [(_individual(column), column[-2], column[-1]) for column in table.columns]
    found = tuple(dict.fromkeys(individual for individual, _, _ in parts))
    individuals = tuple(name for name in found if name != SCENE) or found
    if skeleton is None:
        skeleton = _skeleton(parts, individuals)
    elif not {name for _, name, _ in parts} & set(skeleton.keypoints):
        names = ", ".join(dict.fromkeys(name for _, name, _ in parts))
        raise LabelError(
            f"The table holds none of the keypoints {', '.join(skeleton.keypoints)}; it holds "
            f"{names}. Open it with the skeleton it was made for."
        )
    shape = (len(table.index), len(individuals), len(skeleton), len(coords))
    values = np.full(shape, np.nan)
    given: dict[tuple[str, str], set[str]] = {}
    for j, (individual, keypoint, coord) in enumerate(parts):
        given.setdefault((individual, keypoint), set()).add(coord)
        if coord in coords and keypoint in skeleton.keypoints:
            scene = individual not in individuals or keypoint in skeleton.unique
            i = 0 if scene else individuals.index(individual)
            target = values[:, i, skeleton.keypoints.index(keypoint), coords.index(coord)]
            np.copyto(target, table.values[:, j], where=~np.isnan(table.values[:, j]))
    for (individual, keypoint), present in given.items():
        if not set(coords) <= present:
            owner = f"{individual}/{keypoint}" if individual else keypoint
            raise LabelError(
                f"Each keypoint has the columns {', '.join(coords)}; {owner} has "
                f"{', '.join(sorted(present))}."
            )
    return Grid(values, skeleton, individuals, scorers[0])


def from_grid(grid: Grid, coords: tuple[str, ...], index: np.ndarray) -> Table:
    """Lay `grid` out as DeepLabCut does: the inverse of `to_grid`.

    Raises
    ------
    LabelError
        If an animal bears the name that DeepLabCut reserves for the scene.
    """
    names = grid.individuals
    keypoints = grid.skeleton.keypoints
    cells: list[tuple[int, int]]
    if names == ("",):
        cells = [(0, k) for k in range(len(keypoints))]
    else:
        if SCENE in names and len(names) > 1:
            raise LabelError(
                f"DeepLabCut keeps the name {SCENE!r} for keypoints that exist once in the scene; "
                "name the individual otherwise."
            )
        once = {k for k, name in enumerate(keypoints) if name in grid.skeleton.unique}
        cells = [(i, k) for i in range(len(names)) for k in range(len(keypoints)) if k not in once]
        cells += [(0, k) for k in sorted(once)]
    columns = [_column(grid, i, k, coord) for i, k in cells for coord in coords]
    rows = np.array([i for i, _ in cells], dtype=np.intp)
    channels = np.array([k for _, k in cells], dtype=np.intp)
    values = grid.values[:, rows, channels].reshape(len(grid.values), len(columns))
    return Table(tuple(columns), index, values)


def dataframe(table: Table) -> pd.DataFrame:
    """Return `table` as pandas and DeepLabCut know it."""
    import pandas as pd

    columns = pd.MultiIndex.from_tuples(table.columns, names=LEVELS[len(table.columns[0])])
    index = pd.Index(table.index[:, 0])
    if table.index.shape[1] > 1:
        index = pd.MultiIndex.from_arrays(list(table.index.T))
    return pd.DataFrame(table.values, index=index, columns=columns)


def _individual(column: tuple[str, ...]) -> str:
    return column[1] if len(column) == 4 else ""


def _column(grid: Grid, i: int, k: int, coord: str) -> tuple[str, ...]:
    keypoint = grid.skeleton.keypoints[k]
    if grid.individuals == ("",):
        return (grid.scorer, keypoint, coord)
    owner = SCENE if keypoint in grid.skeleton.unique else grid.individuals[i]
    return (grid.scorer, owner, keypoint, coord)


def _skeleton(parts: list[tuple[str, str, str]], individuals: tuple[str, ...]) -> Skeleton:
    own = dict.fromkeys(name for owner, name, _ in parts if owner in individuals)
    once = dict.fromkeys(name for owner, name, _ in parts if owner not in individuals)
    try:
        return Skeleton((*own, *once), unique=tuple(once))
    except InvalidInputError as error:
        raise LabelError(f"The table's keypoints are not usable: {error}") from error
