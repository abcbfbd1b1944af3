"""Occluded keypoints, which DeepLabCut's tables cannot tell from labelled or unlabelled ones.

They stand in a small JSON file beside the table, each with the position it had when it
was marked. A mark counts only while the table still holds that position, so that a
keypoint moved, added or deleted by another program is what that program made of it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from posenb import storage
from posenb.core import FrameName, Labels, Visibility
from posenb.core.configs import explain
from posenb.errors import LabelError

__all__ = ["occlusion_url", "read_occlusion", "write_occlusion"]


class _Mark(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    video: str
    image: str
    individual: str
    keypoint: str
    position: tuple[float, float] | None


class _Marks(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int, Field(ge=1, le=1)] = 1
    occluded: tuple[_Mark, ...] = ()


def occlusion_url(stem: str) -> str:
    """Return where the marks of the table ``<stem>.h5`` and ``.csv`` stand."""
    return f"{stem}.occluded.json"


def write_occlusion(stem: str, labels: Labels, *, keep: bool = False) -> None:
    """Write the marks of `labels`; where they are written already, do nothing.

    Parameters
    ----------
    stem : str
        URL of the table without suffix.
    labels : Labels
    keep : bool, optional
        Leave the marks there that are there: for the time until the table is written,
        in which the old positions still count.

    Raises
    ------
    LabelError
        If the file of the marks is damaged or newer than this version of posenb.
    """
    assert labels.visibility is not None
    cells = np.argwhere(labels.visibility == Visibility.OCCLUDED)
    there = _read_marks(stem)
    marks = tuple(_mark(labels, *map(int, cell)) for cell in cells)
    if keep:
        marks = tuple(dict.fromkeys((*there, *marks)))
    if marks == there:
        return
    lines = [json.dumps(mark.model_dump(), ensure_ascii=False) for mark in marks]
    body = ",\n    ".join(lines)
    storage.write_text(occlusion_url(stem), f'{{"version": 1, "occluded": [\n    {body}\n]}}\n')


def read_occlusion(stem: str, labels: Labels) -> Labels:
    """Return `labels`, as the table tells them, with the marks that still hold.

    Raises
    ------
    LabelError
        If the file of the marks is damaged or newer than this version of posenb.
    """
    assert labels.visibility is not None
    marks = _read_marks(stem)
    if not marks:
        return labels
    visibility = labels.visibility.copy()
    rows = {frame: n for n, frame in enumerate(labels.frames)}
    for mark in marks:
        n = rows.get(FrameName(mark.video, mark.image))
        known = mark.individual in labels.individuals
        if n is None or not known or mark.keypoint not in labels.skeleton.keypoints:
            continue
        cell = (n, labels.individuals.index(mark.individual), labels.skeleton.index(mark.keypoint))
        position = (np.nan, np.nan) if mark.position is None else mark.position
        if np.array_equal(labels.positions[cell], position, equal_nan=True):
            visibility[cell] = Visibility.OCCLUDED
    return replace(labels, visibility=visibility)


def _read_marks(stem: str) -> tuple[_Mark, ...]:
    url = occlusion_url(stem)
    if not storage.exists(url):
        return ()
    try:
        return _Marks.model_validate_json(storage.read_text(url)).occluded
    except ValidationError as error:
        raise LabelError(
            f"{url} marks occluded keypoints in a form that this version of posenb does not know "
            f"({explain('marks', error)}) Upgrade posenb, or move the file away to lose the marks."
        ) from error


def _mark(labels: Labels, n: int, i: int, k: int) -> _Mark:
    x, y = labels.positions[n, i, k].tolist()
    frame = labels.frames[n]
    return _Mark(
        video=frame.video,
        image=frame.image,
        individual=labels.individuals[i],
        keypoint=labels.skeleton.keypoints[k],
        position=None if np.isnan(x) else (x, y),
    )
