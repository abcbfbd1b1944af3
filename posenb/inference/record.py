"""The files of an analysis: poses in DeepLabCut's layout and the story of how they came about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from posenb import storage
from posenb.core import Poses, Skeleton
from posenb.errors import AnalysisError
from posenb.labels import read_poses, spread_url, write_poses

__all__ = ["analysis_key", "analyzed_video", "current_poses", "load_poses", "write_analysis"]

META = "meta.json"
_TABLES = ("poses.h5", "poses.csv")
_SCHEMA = 1
_DRAWN = ("labelled.mp4", "report.html", "positions.csv", "posenb-results.zip")


def write_analysis(folder: str, poses: Poses, story: Mapping[str, Any]) -> Poses:
    """Write ``poses.csv``, ``poses.h5``, a spread if there is one, and then ``meta.json``.

    The same poses and story give the same bytes. Until ``meta.json`` is there, the
    analysis counts as unfinished. What was made of other poses, such as ``labelled.mp4``, does
    not stay beside these.

    Parameters
    ----------
    folder : str
    poses : Poses
    story : mapping
        What goes into ``meta.json`` beside the digests of the tables.

    Returns
    -------
    Poses
        With the content of ``meta.json`` as provenance and the ``.h5`` as URL.
    """
    before = _told_files(folder)
    storage.remove(storage.join(folder, META))
    table = write_poses(storage.join(folder, "poses"), poses)
    tables = [storage.join(folder, name) for name in _TABLES]
    if poses.spread is not None:
        tables += [spread_url(each) for each in tables]
    files = {storage.name(each): storage.digest(each) for each in tables}
    if files != before:
        for name in _DRAWN:
            storage.remove(storage.join(folder, name))
    meta = {"schema": _SCHEMA, **story, "files": files}
    text = json.dumps(meta, indent=1, ensure_ascii=False, allow_nan=False)
    storage.write_text(storage.join(folder, META), text + "\n")
    return replace(poses, provenance=json.loads(text), url=table)


def current_poses(folder: str, key: str) -> Poses | None:
    """Return the poses in `folder` if they are whole and were made as `key` says."""
    try:
        meta = _read_meta(folder)
    except AnalysisError:
        return None
    if meta is None or meta["key"] != key:
        return None
    urls = {name: storage.join(folder, name) for name in (*_TABLES, *meta["files"])}
    whole = all(
        storage.exists(url) and storage.digest(url) == meta["files"].get(name)
        for name, url in urls.items()
    )
    return load_poses(folder) if whole else None


def analysis_key(folder: str) -> str | None:
    """Return the key of the analysis in `folder`, None if there is none that can be read."""
    try:
        meta = _read_meta(folder)
    except AnalysisError:
        return None
    return None if meta is None else str(meta["key"])


def analyzed_video(folder: str) -> Mapping[str, Any] | None:
    """Return what ``meta.json`` says of the video, None if there is none that can be read."""
    try:
        meta = _read_meta(folder)
    except AnalysisError:
        return None
    video = None if meta is None else meta.get("video")
    return video if isinstance(video, dict) else None


def _told_files(folder: str) -> Mapping[str, str] | None:
    """Return the digests that ``meta.json`` has of the tables, None if it has none."""
    try:
        meta = _read_meta(folder)
    except AnalysisError:
        return None
    return None if meta is None else dict(meta["files"])


def load_poses(url: storage.Url) -> Poses:
    """Read poses; those of an analysis come with frame rate, skeleton and provenance.

    Parameters
    ----------
    url : str or PathLike
        The folder of an analysis, or a ``.h5`` or ``.csv`` file that posenb, DeepLabCut
        or Lightning Pose wrote.

    Returns
    -------
    Poses
        Its `provenance` is the content of the ``meta.json`` in the folder, if that
        tells of this file; else it is empty and the frame rate unknown.

    Raises
    ------
    LabelError
        If there is no such table or it breaks the layout.
    AnalysisError
        If ``meta.json`` is damaged, or tells of a table with other content.
    """
    table = _table(url)
    poses = read_poses(url if table is None else table)
    if table is None:
        return poses
    folder, name = storage.parent(table), storage.name(table)
    meta = _read_meta(folder)
    if meta is None or name not in meta["files"]:
        return poses
    for each in (table, spread_url(table)):
        told = meta["files"].get(storage.name(each))
        if storage.exists(each) and storage.digest(each) != told:
            raise AnalysisError(
                f"{META} tells how a table came about, and knows its digest; {each} has been "
                "changed or damaged since. Analyze the video again, or read the table as it is "
                "with posenb.labels.read_poses."
            )
    description = meta["model"]["description"]
    edges = tuple((int(a), int(b)) for a, b in description["edges"])
    skeleton = Skeleton(tuple(description["keypoints"]), edges)
    fps = meta["video"]["fps"]
    fps = float("nan") if fps is None else fps
    return replace(poses, skeleton=skeleton, fps=fps, provenance=meta)


def _table(url: storage.Url) -> str | None:
    """Return the table that `url` means, None if it names one without its suffix."""
    whole = storage.resolve(url)
    if whole.endswith((".h5", ".csv")):
        return whole
    tables = (storage.join(whole, name) for name in _TABLES)
    return next((table for table in tables if storage.exists(table)), None)


def _read_meta(folder: str) -> dict[str, Any] | None:
    """Return the content of ``meta.json``, None if there is none of an analysis."""
    url = storage.join(folder, META)
    if not storage.exists(url):
        return None
    try:
        meta = json.loads(storage.read_text(url))
    except ValueError as error:
        raise AnalysisError(
            f"{META} is a JSON file that an analysis wrote; {url} cannot be read ({error}). "
            "Analyze the video again."
        ) from error
    if not isinstance(meta, dict) or not {"schema", "key", "files"} <= meta.keys():
        return None
    if meta["schema"] != _SCHEMA:
        raise AnalysisError(
            f"This version of posenb reads {META} of schema {_SCHEMA}; {url} has schema "
            f"{meta['schema']}. Update posenb, or analyze the video again."
        )
    return meta
