"""Splits: drawn reproducibly, given by hand, kept with the run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from posenb import storage
from posenb.core import FrameName, Labels, Split, SplitConfig, Visibility
from posenb.core.configs import explain
from posenb.errors import InvalidInputError, LabelError

__all__ = ["given_split", "make_split", "read_split", "write_split"]


def make_split(labels: Labels, config: SplitConfig | None = None) -> Split:
    """Divide the labelled frames into train, validation and test.

    The order in which frames (or videos) are drawn is that of the SHA-256 of the seed
    and their name: the same on every machine, whatever the order of the rows.

    Parameters
    ----------
    labels : Labels
        Frames in which nothing is labelled stay out of the split.
    config : SplitConfig, optional

    Returns
    -------
    Split
        At least one frame trains. One frame (or video) validates at least, if any
        shall and three frames (or two videos) remain beside the test ones.

    Raises
    ------
    LabelError
        If no frame is labelled, or videos shall be divided and there is but one.
    """
    config = SplitConfig() if config is None else config
    frames = _labelled(labels)
    units = sorted(
        {frame.video for frame in frames}
        if config.by == "video"
        else {"/".join(frame) for frame in frames}
    )
    units.sort(key=lambda name: sha256(f"{config.seed}\0{name}".encode()).digest())
    wanted = config.test_fraction > 0 or config.validation_fraction > 0
    if config.by == "video" and len(units) < 2 and wanted:
        raise LabelError(
            f"A split by video needs labelled frames of two videos or more; got {units}. Label "
            'frames of another video, or use SplitConfig(by="frame").'
        )
    test = min(_share(config.test_fraction, len(units)), len(units) - 1)
    left = len(units) - test
    validation = _share(config.validation_fraction, left)
    if config.validation_fraction > 0 and left >= (2 if config.by == "video" else 3):
        validation = max(validation, 1)
    validation = min(validation, left - 1)
    part_of = dict.fromkeys(units, 2) | dict.fromkeys(units[: test + validation], 1)
    part_of |= dict.fromkeys(units[:test], 0)
    parts: tuple[list[FrameName], ...] = ([], [], [])
    for frame in frames:
        unit = frame.video if config.by == "video" else "/".join(frame)
        parts[part_of[unit]].append(frame)
    return Split(tuple(parts[2]), tuple(parts[1]), tuple(parts[0]))


def given_split(
    labels: Labels,
    *,
    train: Iterable[FrameName | str] | None = None,
    validation: Iterable[FrameName | str] = (),
    test: Iterable[FrameName | str] = (),
) -> Split:
    """Return a split given by hand, checked against the labels.

    Parameters
    ----------
    labels : Labels
    train, validation, test : iterable of FrameName or str
        Frames, as `FrameName` or ``"<video>/<image>"``, or whole videos by name.
        Without `train`, all other labelled frames train.

    Raises
    ------
    LabelError
        If a frame is not labelled, or none is left to train.
    InvalidInputError
        If a frame stands in two parts.
    """
    frames = _labelled(labels)
    chosen = [_expand(part, frames) for part in (validation, test)]
    used = {frame for part in chosen for frame in part}
    rest = tuple(frame for frame in frames if frame not in used)
    training = rest if train is None else _expand(train, frames)
    unknown = sorted((used | set(training)) - set(frames))
    if unknown:
        raise LabelError(
            f"A split holds labelled frames alone; {'/'.join(unknown[0])} and "
            f"{len(unknown) - 1} more are not labelled. Correct the lists or label them."
        )
    if not training:
        raise LabelError("A split leaves at least one labelled frame to train; none is left.")
    return Split(training, *chosen)


class _SplitFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def write_split(url: storage.Url, split: Split) -> None:
    """Write `split` as JSON: lists of ``"<video>/<image>"``."""
    parts = {
        part: [_path(frame) for frame in getattr(split, part)]
        for part in ("train", "validation", "test")
    }
    text = json.dumps({"version": 1, **parts}, indent=1, ensure_ascii=False)
    storage.write_text(url, text + "\n")


def read_split(url: storage.Url) -> Split:
    """Read what `write_split` wrote.

    Raises
    ------
    LabelError
        If the file is damaged or newer than this version of posenb.
    """
    try:
        read = _SplitFile.model_validate_json(storage.read_text(url))
        if read.version != 1:
            raise LabelError(
                f"{url} is a split of version {read.version}; this posenb reads version 1. "
                "Upgrade posenb."
            )
        parts = (
            tuple(_frame(name) for name in part)
            for part in (read.train, read.validation, read.test)
        )
        return Split(*parts)
    except ValidationError as error:
        raise LabelError(f"{url} is no split: {explain('split', error)}") from error
    except InvalidInputError as error:
        raise LabelError(f"{url} is no split: {error}") from error


def _labelled(labels: Labels) -> tuple[FrameName, ...]:
    assert labels.visibility is not None
    said = (labels.visibility != Visibility.UNLABELLED).any(axis=(1, 2))
    frames = tuple(sorted(labels.frames[n] for n in np.flatnonzero(said)))
    if not frames:
        raise LabelError("A split needs labelled frames; none is labelled. Label some first.")
    return frames


def _expand(
    names: Iterable[FrameName | str], frames: tuple[FrameName, ...]
) -> tuple[FrameName, ...]:
    expanded: list[FrameName] = []
    for name in names:
        of_video = [frame for frame in frames if name and frame.video == name]
        expanded += of_video or [_frame(name)]
    return tuple(expanded)


def _share(fraction: float, count: int) -> int:
    return int(fraction * count + 0.5)


def _frame(name: FrameName | str) -> FrameName:
    if isinstance(name, str):
        video, _, image = name.rpartition("/")
        return FrameName(video, image)
    return FrameName(*name)


def _path(frame: FrameName) -> str:
    return f"{frame.video}/{frame.image}" if frame.video else frame.image
