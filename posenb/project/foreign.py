"""Folders of DeepLabCut and Lightning Pose, understood as they are."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import yaml

from posenb import storage
from posenb.core import Skeleton
from posenb.errors import InvalidInputError, ProjectError
from posenb.labels import read_labels
from posenb.project.manifest import Crop
from posenb.project.places import locate
from posenb.project.value import VIDEOS, Project

__all__ = ["CONFIG", "VIDEO_SUFFIXES", "open_deeplabcut", "open_lightning"]

CONFIG = "config.yaml"
LIGHTNING_TABLE = "CollectedData.csv"
VIDEO_SUFFIXES = frozenset(
    {".avi", ".flv", ".m4v", ".mjpeg", ".mkv", ".mov", ".mp4"}
    | {".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv"}
)


def open_deeplabcut(url: str) -> Project | None:
    """Open a DeepLabCut folder by its ``config.yaml``; None if there is none.

    The folder counts, not the ``project_path`` in it. A video is looked for by its name
    in ``videos/``, then where ``video_sets`` says; if nothing of ``video_sets`` is there
    at all, everything in ``videos/`` counts. Edges that name no body part, such as the
    ones of DeepLabCut's template, are left out. Crops count only with ``cropping: true``,
    as DeepLabCut fills them in for every video.

    Raises
    ------
    ProjectError
        If the body parts, individuals or scorer are not usable.
    """
    config_url = storage.join(url, CONFIG)
    if not storage.exists(config_url):
        return None
    try:
        config = yaml.safe_load(storage.read_text(config_url))
    except yaml.YAMLError as error:
        raise ProjectError(f"{config_url} is no readable YAML: {error}") from error
    if not isinstance(config, dict) or not {"bodyparts", "scorer"} <= config.keys():
        return None
    try:
        skeleton, individuals = _animals(config)
    except (InvalidInputError, TypeError) as error:
        raise ProjectError(f"{config_url} is not as DeepLabCut writes it: {error}") from error
    videos, crops = _videos(url, config)
    return Project(
        url,
        "deeplabcut",
        str(config.get("Task") or storage.name(url)),
        str(config["scorer"]),
        skeleton,
        individuals,
        videos,
        crops,
    )


def open_lightning(url: str) -> Project | None:
    """Open a Lightning Pose folder by its ``CollectedData.csv``; None if there is none.

    Raises
    ------
    LabelError
        If the table breaks the layout.
    """
    table = storage.join(url, LIGHTNING_TABLE)
    if not storage.exists(table):
        return None
    labels = read_labels(table)
    return Project(
        url,
        "lightning-pose",
        storage.name(url),
        labels.scorer,
        labels.skeleton,
        labels.individuals,
        _in_folder(url),
        table=LIGHTNING_TABLE,
    )


def _animals(config: dict[str, Any]) -> tuple[Skeleton, tuple[str, ...]]:
    if config.get("multianimalproject") or config["bodyparts"] == "MULTI!":
        unique = _texts(config.get("uniquebodyparts"))
        keypoints = (*_texts(config.get("multianimalbodyparts")), *unique)
        individuals = _texts(config.get("individuals")) or ("individual1",)
    else:
        unique, keypoints, individuals = (), _texts(config["bodyparts"]), ("",)
    edges = [tuple(map(str, pair)) for pair in config.get("skeleton") or () if len(pair) == 2]
    usable = [(a, b) for a, b in edges if a != b and a in keypoints and b in keypoints]
    return Skeleton.from_names(keypoints, tuple(usable), unique), individuals


def _texts(names: Any) -> tuple[str, ...]:
    if isinstance(names, str):
        raise InvalidInputError(f"body parts and individuals are lists; got {names!r}")
    return tuple(str(name) for name in names or ())


def _videos(url: str, config: dict[str, Any]) -> tuple[dict[str, str], dict[str, Crop]]:
    here = _in_folder(url)
    by_name = {PurePosixPath(path).name: path for path in here.values()}
    videos: dict[str, str] = {}
    crops: dict[str, Crop] = {}
    found = False
    for key, entry in (config.get("video_sets") or {}).items():
        name = PurePosixPath(str(key).replace("\\", "/")).name
        stem = PurePosixPath(name).stem
        if not PurePosixPath(name).suffix:
            continue  # no file name, such as the remark in DeepLabCut's demo projects
        path = by_name.get(name)
        if path is None and storage.exists(locate(url, str(key))):
            path = storage.relative(locate(url, str(key)), url) or str(key)
        found = found or path is not None
        videos[stem] = path or str(key)
        crop = _crop(entry) if config.get("cropping") else None
        if crop is not None:
            crops[stem] = crop
    return (videos if found else {**videos, **here}), crops


def _crop(entry: Any) -> Crop | None:
    text = entry.get("crop") if isinstance(entry, dict) else None
    try:
        x1, x2, y1, y2 = (int(part) for part in str(text).split(","))
    except ValueError:
        return None
    return (x1, x2, y1, y2)


def _in_folder(url: str) -> dict[str, str]:
    """Return the videos in the folder ``videos/``, by stem."""
    names = [storage.name(each) for each in storage.list_files(storage.join(url, VIDEOS))]
    return {
        PurePosixPath(name).stem: f"{VIDEOS}/{name}"
        for name in names
        if PurePosixPath(name).suffix.lower() in VIDEO_SUFFIXES
    }
