"""What the last steps do: draw, write and pack what was found, and sum it up."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from posenb import storage, zoo
from posenb._progress import Progress
from posenb.app.state import Found
from posenb.core import Poses
from posenb.overlays import labelled_video
from posenb.reports.making import Look, write_report
from posenb.video import open_video
from posenb.zoo import Card
from posenb.zoo.card import PREVIEW
from posenb.zoo.page import card_page, read_preview

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CUTOFF",
    "SHARPEST",
    "TAKEN_HOME",
    "Part",
    "draw_clip",
    "found_in",
    "is_packed",
    "pack",
    "summarise_poses",
    "write_page",
    "write_table",
]

Part = Literal["report", "video", "table", "all"]

CUTOFF = 0.6
"""Likelihood from which on a keypoint counts as found."""

SHARPEST = 1920
"""Pixels of the longer side of a labelled video."""

LABELLED, REPORT, POSITIONS = "labelled.mp4", "report.html", "positions.csv"
ARCHIVE = "posenb-results.zip"
TAKEN_HOME: Mapping[str, str] = {
    "report": REPORT,
    "video": LABELLED,
    "table": POSITIONS,
    "all": ARCHIVE,
}
"""What is made of poses, and its file beside them."""

_SUMMARY, _CARD, _README, _STORY = "summary.csv", "model.md", "README.txt", "poses/meta.json"
_WITHIN = "posenb-results"
_STORED = (".mp4", ".png")  # they are packed already
_MOST_RATE = 20_000  # kilobits per second

_WORDS = """\
What posenb found in {name}, in {frames} frames, with its model “{title}” ({model}, {licence}).

{files}
Look at the video before you trust the numbers. Positions of small likelihood are guesses.
"""
_TOLD = {
    REPORT: "All of it to look at: open it in any browser, offline.",
    LABELLED: "The video with what was found drawn over it.",
    POSITIONS: "One row for each frame and body part: x and y in pixels of the video (from the\n"
    "               upper left corner, y downwards) and likelihood, 0 to 1. Opens in Excel and R.",
    _SUMMARY: "For each body part: in which share of the frames it was found, how surely.",
    _CARD: "What the model learned from, its limits, and whom to cite.",
    "poses/": "The same positions as DeepLabCut's tables, for programs, and how they came about.",
}


def draw_clip(
    poses: Poses, video: storage.Url, folder: str, room: int | None, progress: Progress
) -> None:
    """Draw the labelled video, full HD at most.

    Parameters
    ----------
    poses : Poses
    video : str or PathLike
    folder : str
        Where the new one goes.
    room : int or None
        Bytes that it may take; None = as many as it likes.
    progress : callable

    Raises
    ------
    PosenbError
        As `posenb.labelled_video`.
    """
    with open_video(video, warn=False) as reader:
        info = reader.info
    rate = None
    if room is not None:
        seconds = len(poses) / info.fps + 2  # x264 borrows from the seconds to come
        rate = max(100, min(_MOST_RATE, int(room * 8 / 1000 / seconds)))
    labelled_video(
        poses,
        video,
        output=storage.join(folder, LABELLED),
        scale=min(1.0, SHARPEST / max(info.width, info.height)),
        cutoff=CUTOFF,
        bitrate=rate,
        progress=progress,
    )


def write_page(
    poses: Poses, video: storage.Url, name: str, folder: str, progress: Progress
) -> None:
    """Write the report, with the trajectories to turn and to zoom.

    Parameters
    ----------
    poses : Poses
    video : str or PathLike
    name : str
        What the video is called.
    folder : str
        Where the page goes.
    progress : callable

    Raises
    ------
    PosenbError
        As `posenb.report`.
    """
    look = Look(cutoff=CUTOFF, video=video, title=name)
    write_report(_named(poses, name), storage.join(folder, REPORT), look, progress)


def write_table(poses: Poses, folder: str) -> None:
    """Write the positions as a table for people, one row for each frame and keypoint."""
    storage.write_text(storage.join(folder, POSITIONS), _csv(poses.to_dataframe()))


def pack(poses: Poses, name: str, model: str, folder: str) -> None:
    """Put all files into one archive; only names of posenb's own are in it.

    Parameters
    ----------
    poses : Poses
        As they lie in the folder.
    name : str
        What the video is called.
    model : str
        Name, or the folder of a model.
    folder : str
        With the files.
    """
    card = zoo.show(model)
    shown = {each: each for each in (REPORT, LABELLED, POSITIONS)}
    tables = {f"poses/{each}": each for each in ("poses.h5", "poses.csv")}
    files = {
        inside: storage.join(folder, each)
        for inside, each in {**shown, **tables}.items()
        if storage.exists(storage.join(folder, each))
    }
    texts = {
        _README: _readme(poses, name, card, files),
        _SUMMARY: _csv(summarise_poses(poses)),
        _CARD: card_page(card),
        _STORY: _story(poses, name),
    }
    preview = read_preview(card, model)
    with (
        storage.writing(storage.join(folder, ARCHIVE)) as path,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for inside, text in texts.items():
            archive.writestr(f"{_WITHIN}/{inside}", text)
        if preview is not None:  # the card shows it
            archive.writestr(f"{_WITHIN}/{PREVIEW}", preview, zipfile.ZIP_STORED)
        for inside, url in files.items():
            kind = zipfile.ZIP_STORED if inside.endswith(_STORED) else zipfile.ZIP_DEFLATED
            with storage.reading(url) as local:
                archive.write(local, f"{_WITHIN}/{inside}", kind)


def is_packed(poses: Poses, name: str, parts: Iterable[Part], folder: str) -> bool:
    """Tell whether the archive in a folder holds these poses, with all that is made of them.

    Parameters
    ----------
    poses : Poses
    name : str
        What the video is called.
    parts : iterable of {"report", "video", "table", "all"}
        What shall be there.
    folder : str
    """
    wanted = [TAKEN_HOME[part] for part in parts]
    if ARCHIVE not in wanted or not all(storage.exists(storage.join(folder, f)) for f in wanted):
        return False
    try:
        with (
            storage.reading(storage.join(folder, ARCHIVE)) as path,
            zipfile.ZipFile(path) as archive,
        ):
            held = set(archive.namelist())
            same = archive.read(f"{_WITHIN}/{_STORY}").decode() == _story(poses, name)
    except (zipfile.BadZipFile, KeyError):
        return False
    return same and {f"{_WITHIN}/{file}" for file in wanted if file != ARCHIVE} <= held


def found_in(poses: Poses, files: Mapping[str, str]) -> Found:
    """Sum up what a run has found.

    Parameters
    ----------
    poses : Poses
    files : mapping of {"report", "video", "table", "all"} to str
        URLs of what was made.
    """
    table = summarise_poses(poses)
    likelihoods = poses.likelihoods[~np.isnan(poses.likelihoods)]
    return Found(
        frames=len(poses),
        shares=dict(zip(table["keypoint"], table["found"].astype(float), strict=True)),
        likelihood=float(likelihoods.mean()) if likelihoods.size else 0.0,
        size=float(poses.provenance["zoo"]["size"]["value"]),
        files={what: storage.size(url) for what, url in files.items()},
    )


def summarise_poses(poses: Poses) -> pd.DataFrame:
    """Say of each keypoint how surely it was found.

    Parameters
    ----------
    poses : Poses

    Returns
    -------
    DataFrame
        Columns ``keypoint``; ``found``, the share of the frames with a likelihood of 0.6 or
        more; and ``likelihood``, its median.
    """
    import pandas as pd

    likelihoods = np.nan_to_num(poses.likelihoods[:, 0])
    return pd.DataFrame(
        {
            "keypoint": poses.skeleton.keypoints,
            "found": (likelihoods >= CUTOFF).mean(axis=0),
            "likelihood": np.median(likelihoods, axis=0),
        }
    )


def _named(poses: Poses, name: str) -> Poses:
    """Return poses whose story calls the video as its owner does."""
    story = dict(poses.provenance)
    return replace(poses, provenance={**story, "video": {**dict(story["video"]), "url": name}})


def _story(poses: Poses, name: str) -> str:
    """Return how poses came about, without where their video lies."""
    return json.dumps(dict(_named(poses, name).provenance), indent=1, ensure_ascii=False)


def _csv(table: pd.DataFrame) -> str:
    return str(table.to_csv(index=False, float_format="%.4f"))


def _readme(poses: Poses, name: str, card: Card, files: Iterable[str]) -> str:
    there = {*files, _SUMMARY, _CARD, "poses/"}
    lines = (f"{file:<15}{words}\n" for file, words in _TOLD.items() if file in there)
    return _WORDS.format(
        name=name,
        frames=len(poses),
        title=card.title,
        model=card.name,
        licence=card.licence,
        files="".join(lines),
    )
