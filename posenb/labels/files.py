"""Labels as files: DeepLabCut's and Lightning Pose's tables, read and written whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from posenb import storage
from posenb.core import FrameName, Labels, Skeleton
from posenb.errors import InvalidInputError, LabelError
from posenb.labels._csv import read_csv, write_csv
from posenb.labels._hdf import read_hdf, write_hdf
from posenb.labels._table import Grid, Table, dataframe, from_grid, to_grid
from posenb.labels.merging import align_labels
from posenb.labels.occlusion import read_occlusion, write_occlusion

__all__ = [
    "FOLDER",
    "has_labels",
    "labels_csv",
    "read_labels",
    "read_table",
    "table_stem",
    "table_suffix",
    "write_labels",
]

FOLDER = "labeled-data"
SUFFIXES = (".h5", ".csv")
_COORDS = ("x", "y")
_PREFIX = "CollectedData"


def read_labels(
    url: storage.Url,
    skeleton: Skeleton | None = None,
    individuals: Sequence[str] | None = None,
) -> Labels:
    """Read labels in DeepLabCut's or Lightning Pose's layout.

    Parameters
    ----------
    url : str or PathLike
        A ``.h5`` or ``.csv`` file; or the folder of a video (``labeled-data/<video>``)
        or the table without suffix, where the ``.h5`` counts if there are both, as it
        does for DeepLabCut. A table in ``labeled-data/<video>`` is about that video,
        whatever its rows say: the folder may have been renamed.
    skeleton : Skeleton, optional
        Chooses and orders the keypoints, and brings the edges. Keypoints that the
        table lacks are unlabelled, those it has beyond are left out. By default all
        keypoints of the table, without edges; those of the individual ``single``, which
        exist once in the scene, come last.
    individuals : sequence of str, optional
        Chooses and orders the animals likewise.

    Returns
    -------
    Labels
        Positions in pixels as in the file: integers are pixel centres. Keypoints that
        exist once in the scene stand with the first individual.

    Raises
    ------
    LabelError
        If there is no such table, it breaks the layout, or it has none of the
        keypoints or individuals asked for.
    """
    stem, suffix = _split(url)
    if not suffix:
        stem = _found_stem(storage.resolve(url)) if not _names_table(url) else stem
        suffix = table_suffix(stem)
        if not suffix:
            raise LabelError(
                f"No labels at {url}: neither {storage.name(stem)}.h5 nor .csv is there. Label "
                "some frames first, or name another file."
            )
    try:
        labels = _to_labels(read_table(stem + suffix), skeleton, _video_of(stem))
        if individuals is not None:
            labels = _choose_individuals(labels, tuple(individuals))
    except (InvalidInputError, LabelError) as error:
        raise LabelError(f"{stem + suffix}: {error}") from error
    return read_occlusion(stem, labels)


def write_labels(url: storage.Url, labels: Labels) -> None:
    """Write labels exactly as DeepLabCut lays them out, over what was there.

    Use `save_labels` to add to labels that are there.

    Parameters
    ----------
    url : str or PathLike
        The folder of a video, where the table becomes ``CollectedData_<scorer>``; or
        the table, with or without its suffix. Both ``.h5`` and ``.csv`` are written. A
        table called ``CollectedData`` without a scorer is Lightning Pose's: it is CSV
        alone, with the path of an image in one column.
    labels : Labels
        Occluded keypoints keep their position; that they are occluded stands in
        ``<table>.occluded.json``, which DeepLabCut ignores.

    Notes
    -----
    Each file is replaced whole: new marks of occluded keypoints are put beside the old
    ones first (each counts only with the position it was made with), then come the
    ``.h5`` and the ``.csv``, and then old marks go. So whenever the work is cut off,
    reading gives the labels before or after.
    """
    stem = table_stem(url, labels.scorer)
    lightning = storage.name(stem) == _PREFIX
    table = _to_table(labels)
    write_occlusion(stem, labels, keep=True)
    if lightning:
        table = replace(table, index=_paths(labels.frames))
    else:
        with storage.writing(f"{stem}.h5") as path:
            write_hdf(path, table, appendable=False)
    with storage.writing(f"{stem}.csv") as path:
        write_csv(path, table)
    write_occlusion(stem, labels)


def labels_csv(labels: Labels) -> str:
    """Return labels as the text of a ``CollectedData_<scorer>.csv``."""
    text: str = dataframe(_to_table(labels)).to_csv(lineterminator="\n")
    return text


def has_labels(url: storage.Url) -> bool:
    """Tell whether `url`, a folder or a table, holds labels that `read_labels` finds."""
    stem, suffix = _split(url)
    if suffix:
        return storage.exists(url)
    if _names_table(url):
        return bool(table_suffix(stem))
    return bool(_stems(storage.resolve(url)))


def table_stem(url: storage.Url, scorer: str) -> str:
    """Return the URL, without suffix, of the table that `url` (table or folder) means."""
    stem, suffix = _split(url)
    return stem if suffix or _names_table(url) else storage.join(url, f"{_PREFIX}_{scorer}")


def table_suffix(stem: str) -> str:
    """Return the suffix of the file that counts for a table, empty if there is none."""
    return next((s for s in SUFFIXES if storage.exists(stem + s)), "")


def read_table(url: str) -> Table:
    """Read the table at `url`, which ends in ``.h5`` or ``.csv``."""
    with storage.reading(url) as path:
        return read_hdf(path) if url.endswith(".h5") else read_csv(path)


def _split(url: storage.Url) -> tuple[str, str]:
    whole = storage.resolve(url)
    suffix = next((s for s in SUFFIXES if whole.endswith(s)), "")
    return whole.removesuffix(suffix), suffix


def _names_table(url: storage.Url) -> bool:
    return storage.name(url).startswith(_PREFIX)


def _stems(folder: str) -> tuple[str, ...]:
    files = (
        url for suffix in SUFFIXES for url in storage.list_files(folder, f"{_PREFIX}*{suffix}")
    )
    return tuple(dict.fromkeys(_split(url)[0] for url in files))


def _found_stem(folder: str) -> str:
    stems = _stems(folder)
    if len(stems) != 1:
        names = ", ".join(storage.name(stem) for stem in stems)
        found = f"several tables ({names})" if stems else f"no {_PREFIX}_<scorer>.h5 or .csv"
        raise LabelError(
            f"A folder of labels holds one table; {folder} holds {found}. Name the file."
        )
    return stems[0]


def _video_of(stem: str) -> str | None:
    """Return the video whose folder holds the table; None if it lies elsewhere."""
    folder = storage.parent(stem)
    return storage.name(folder) if storage.name(storage.parent(folder)) == FOLDER else None


def _to_table(labels: Labels) -> Table:
    grid = Grid(labels.positions, labels.skeleton, labels.individuals, labels.scorer)
    index = np.array([(FOLDER, frame.video, frame.image) for frame in labels.frames], dtype=object)
    return from_grid(grid, _COORDS, index.reshape(-1, 3))


def _to_labels(table: Table, skeleton: Skeleton | None, video: str | None) -> Labels:
    if table.index.dtype.kind == "i":
        raise LabelError(
            "The rows of a label table are named by images; these are numbered, as predictions "
            "are. Read it with read_poses."
        )
    grid = to_grid(table, _COORDS, skeleton)
    frames = tuple(_frame_name([str(part) for part in row]) for row in table.index)
    if video is not None:
        frames = tuple(FrameName(video, frame.image) for frame in frames)
    return Labels(frames, grid.values, grid.skeleton, grid.individuals, scorer=grid.scorer)


def _frame_name(parts: list[str]) -> FrameName:
    pieces = PurePosixPath("/".join(parts).replace("\\", "/")).parts
    start = -2 if FOLDER not in pieces else len(pieces) - pieces[::-1].index(FOLDER)
    below = pieces[start:]
    if not below or ".." in below or "/" in below:
        raise LabelError(
            f"A row is named {FOLDER}/<video>/<image>; got {'/'.join(parts)!r}. Correct the table."
        )
    return FrameName("/".join(below[:-1]), below[-1])


def _paths(frames: tuple[FrameName, ...]) -> np.ndarray:
    paths = [str(PurePosixPath(FOLDER, frame.video, frame.image)) for frame in frames]
    return np.array(paths, dtype=object).reshape(-1, 1)


def _choose_individuals(labels: Labels, individuals: tuple[str, ...]) -> Labels:
    if not set(individuals) & set(labels.individuals):
        raise LabelError(
            f"The table holds none of the individuals {individuals}; it holds "
            f"{labels.individuals}. Correct the names in the project or in the table."
        )
    return align_labels(labels, labels.frames, individuals, labels.skeleton)
