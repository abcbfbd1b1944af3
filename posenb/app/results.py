"""What the last steps do: draw, write and pack what was found, and sum it up."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from posenb import zoo
from posenb._progress import Progress
from posenb.app.state import Found
from posenb.core import Poses
from posenb.overlays import labelled_video
from posenb.reports.making import Look, write_report
from posenb.video import open_video
from posenb.zoo import Card
from posenb.zoo.card import PREVIEW
from posenb.zoo.page import card_page

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CUTOFF",
    "LABELLED",
    "POSES",
    "SHARPEST",
    "TAKEN_HOME",
    "draw_clip",
    "found_in",
    "pack",
    "summarise_poses",
    "tell_clip",
]

CUTOFF = 0.6
"""Likelihood from which on a keypoint counts as found."""

SHARPEST = 1920
"""Pixels of the longer side of a labelled video."""

POSES, LABELLED = "poses", "labelled.mp4"
REPORT, POSITIONS, SUMMARY = "report.html", "positions.csv", "summary.csv"
CARD, README, ARCHIVE = "model.md", "README.txt", "results.zip"
STORY = f"{POSES}/meta.json"
TAKEN_HOME = {"report": REPORT, "video": LABELLED, "table": POSITIONS, "all": ARCHIVE}
"""What a page may ask for, and the file that it gets."""

_WITHIN = "posenb-results"
_MEMBERS = (
    *(README, REPORT, LABELLED, POSITIONS, SUMMARY, CARD, PREVIEW),
    *(f"{POSES}/poses.h5", f"{POSES}/poses.csv"),
)
_MOST_RATE = 20_000  # kilobits per second

_README = """\
What posenb found in {name}, in {frames} frames, with its model “{title}” ({model}, {licence}).

report.html    All of it to look at: open it in any browser, offline.
labelled.mp4   The video with what was found drawn over it.
positions.csv  One row for each frame and body part: x and y in pixels of the video (from the upper
               left corner, y downwards) and likelihood, 0 to 1. Opens in Excel and R.
summary.csv    For each body part: in which share of the frames it was found, how surely.
model.md       What the model learned from, its limits, and whom to cite.
poses/         The same positions as DeepLabCut's tables, for programs, and how they came about.

Look at the video before you trust the numbers. Positions of small likelihood are guesses.
"""


def draw_clip(poses: Poses, path: Path, folder: Path, room: int, progress: Progress) -> None:
    """Draw the labelled video, full HD at most.

    Parameters
    ----------
    poses : Poses
    path : Path
        The video.
    folder : Path
        Where the new one goes.
    room : int
        Bytes that it may take.
    progress : callable

    Raises
    ------
    PosenbError
        As `posenb.labelled_video`.
    """
    with open_video(path, warn=False) as video:
        info = video.info
    seconds = len(poses) / info.fps + 2  # x264 borrows from the seconds to come
    labelled_video(
        poses,
        path,
        output=folder / LABELLED,
        scale=min(1.0, SHARPEST / max(info.width, info.height)),
        cutoff=CUTOFF,
        bitrate=max(100, min(_MOST_RATE, int(room * 8 / 1000 / seconds))),
        progress=progress,
    )


def tell_clip(
    poses: Poses, path: Path, name: str, model: str, folder: Path, progress: Progress
) -> None:
    """Write the report, the tables for people and what is to be known of all files.

    Parameters
    ----------
    poses : Poses
    path : Path
        The video.
    name : str
        As its owner calls it.
    model : str
        Name.
    folder : Path
        Where the files go.
    progress : callable

    Raises
    ------
    PosenbError
        As `posenb.report`.
    """
    look = Look(cutoff=CUTOFF, video=path, title=name)
    write_report(_named(poses, name), folder / REPORT, look, progress)
    poses.to_dataframe().to_csv(folder / POSITIONS, index=False, float_format="%.4f")
    summarise_poses(poses).to_csv(folder / SUMMARY, index=False, float_format="%.4f")
    card = zoo.show(model)
    (folder / CARD).write_text(card_page(card), encoding="utf-8")
    if PREVIEW in card.files:  # the card shows it
        shutil.copyfile(zoo.fetch(model) / PREVIEW, folder / PREVIEW)
    (folder / README).write_text(_readme(poses, name, card), encoding="utf-8")


def pack(folder: Path, name: str) -> None:
    """Put all files into one archive; only names of posenb's own are in it.

    Parameters
    ----------
    folder : Path
        With all files.
    name : str
        Of the video, as its owner calls it.
    """
    members = [each for each in _MEMBERS if (folder / each).exists()]
    story = json.loads((folder / STORY).read_text(encoding="utf-8"))
    story["video"]["url"] = name
    with zipfile.ZipFile(folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in members:
            packed = each.endswith((".mp4", ".png"))
            kind = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            archive.write(folder / each, f"{_WITHIN}/{each}", kind)
        archive.writestr(f"{_WITHIN}/{STORY}", json.dumps(story, indent=1, ensure_ascii=False))


def found_in(poses: Poses, folder: Path) -> Found:
    """Sum up what a run has found.

    Parameters
    ----------
    poses : Poses
    folder : Path
        With all files.
    """
    table = summarise_poses(poses)
    likelihoods = poses.likelihoods[~np.isnan(poses.likelihoods)]
    return Found(
        frames=len(poses),
        shares=dict(zip(table["keypoint"], table["found"].astype(float), strict=True)),
        likelihood=float(likelihoods.mean()) if likelihoods.size else 0.0,
        size=float(poses.provenance["zoo"]["size"]["value"]),
        files={what: (folder / file).stat().st_size for what, file in TAKEN_HOME.items()},
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


def _readme(poses: Poses, name: str, card: Card) -> str:
    return _README.format(
        name=name, frames=len(poses), title=card.title, model=card.name, licence=card.licence
    )
