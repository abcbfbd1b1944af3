"""Labels that several people or windows write at once: merged, locked, the last ones kept."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from posenb import storage
from posenb.core import Labels
from posenb.labels.files import read_labels, table_stem, table_suffix, write_labels
from posenb.labels.merging import merge_labels
from posenb.labels.occlusion import occlusion_url

__all__ = ["HISTORY", "save_labels"]

HISTORY = ".history"


def save_labels(
    url: storage.Url,
    labels: Labels,
    *,
    base: Labels | None = None,
    keep: int = 20,
    worth_keeping: Callable[[Labels], bool] = lambda _: True,
) -> Labels:
    """Add labels to those at `url` and keep the previous version.

    What is there is read, merged (`merge_labels`) and written under a lock, so any
    number of processes may save at once and nothing is lost. Without a change, nothing
    is written. Rows are sorted by name, as DeepLabCut sorts them.

    Parameters
    ----------
    url : str or PathLike
        The folder of a video or a table, as in `write_labels`.
    labels : Labels
        What was said; a keypoint that is unlabelled here says nothing.
    base : Labels, optional
        The labels that a person started from: only what differs from it is merged, and
        what it has and `labels` lacks is erased.
    keep : int, optional
        Number of previous versions, at least one, kept in the folder ``.history`` beside the table,
        as ``<table>.<number>.h5`` (or ``.csv``), to be read with `read_labels`.
    worth_keeping : callable, optional
        Receives what is there, while nobody else can write, and tells whether it is to
        be kept as a previous version; who saves at every click keeps what is not their
        own. By default all is kept.

    Returns
    -------
    Labels
        All labels that are there now.

    Raises
    ------
    LabelError
        If what is there cannot be read; it is then left as it is.
    """
    stem = table_stem(url, labels.scorer)
    with storage.lock(f"{stem}.labels"):
        suffix = table_suffix(stem)
        old = read_labels(stem + suffix) if suffix else labels.select([])
        merged = _sorted(merge_labels(old, labels, base))
        if not suffix or not _same(old, merged):
            if suffix and worth_keeping(old):
                _keep_version(stem, suffix, keep)
            write_labels(stem + (suffix or ".h5"), merged)
        return merged


def _sorted(labels: Labels) -> Labels:
    return labels.select(sorted(range(len(labels)), key=labels.frames.__getitem__))


def _same(a: Labels, b: Labels) -> bool:
    assert a.visibility is not None
    assert b.visibility is not None
    return (
        a.frames == b.frames
        and a.individuals == b.individuals
        and a.skeleton.keypoints == b.skeleton.keypoints
        and np.array_equal(a.positions, b.positions, equal_nan=True)
        and np.array_equal(a.visibility, b.visibility)
    )


def _keep_version(stem: str, suffix: str, keep: int) -> None:
    folder = storage.join(storage.parent(stem), HISTORY)
    table = storage.name(stem)
    versions: dict[int, list[str]] = {}
    for url in storage.list_files(folder):
        match = re.fullmatch(
            rf"{re.escape(table)}\.(\d+)\.(h5|csv|occluded\.json)", storage.name(url)
        )
        if match:
            versions.setdefault(int(match[1]), []).append(url)
    kept = storage.join(folder, f"{table}.{max(versions, default=0) + 1:06d}")
    if storage.exists(occlusion_url(stem)):
        storage.copy(occlusion_url(stem), occlusion_url(kept))
    storage.copy(stem + suffix, kept + suffix)
    for number in sorted(versions)[: max(0, len(versions) + 1 - keep)]:
        for url in versions[number]:
            storage.remove(url)
