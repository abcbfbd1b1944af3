"""The beginning and the end of an analysis: what may be written where, and the final files."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

import numpy as np

from posenb.core import Poses
from posenb.errors import AnalysisError, StorageError
from posenb.inference.chunks import Span
from posenb.inference.plan import Plan
from posenb.inference.record import analyzed_video, write_analysis
from posenb.inference.work import check_unchanged

__all__ = ["begin", "finish"]


def begin(plan: Plan) -> list[Span]:
    """Return what is left to do, having made sure that it can be written.

    Raises
    ------
    AnalysisError
        If the folder cannot be written or holds the poses of another video.
    """
    _check_same_video(plan)
    spans = plan.missing()
    if spans:
        _check_writable(plan)
    return spans


def _check_same_video(plan: Plan) -> None:
    """Refuse to replace the poses of another video, which may well bear the same name."""
    before = analyzed_video(plan.target.output)
    if before is None or before.get("url") == plan.target.shown:
        return
    if not plan.known.items() <= before.items():  # or the same one has moved
        raise AnalysisError(
            f"A folder holds the poses of one video; {plan.target.output} has those of "
            f"{before.get('url')}, and {plan.target.shown} is another one. Give it a folder of "
            "its own: analyze(..., output='/a/folder/of/yours'); or delete the one of before."
        )


def _check_writable(plan: Plan) -> None:
    try:
        plan.folder.check_writable()
    except StorageError as error:
        if error.errno != errno.EACCES:
            raise
        raise AnalysisError(
            f"Analysis writes its files into a folder; {plan.target.output} cannot be written "
            f"({error}). Choose another one: analyze(..., output='/a/folder/of/yours')."
        ) from error


def finish(plan: Plan) -> Poses:
    """Put the chunks together into the final files.

    Raises
    ------
    AnalysisError
        If the video changed since it was planned for, or a chunk is not there.
    """
    check_unchanged(plan.job)
    made, software = _merge(plan)
    return write_analysis(plan.target.output, made, _story(plan, made, software))


def _merge(plan: Plan) -> tuple[Poses, list[Mapping[str, str]]]:
    """Read the chunks one after the other into the whole; tell also what made them."""
    description = plan.model.description
    shape = (plan.stop - plan.start, 1, len(description.keypoints))
    positions, likelihoods = np.empty((*shape, 2)), np.empty(shape)
    spread = np.empty(shape) if plan.model.numbers == 4 else None
    software: list[Mapping[str, str]] = []
    for chunk, each in zip(plan.chunks, plan.folder.read(plan.chunks), strict=True):
        rows = slice(chunk.start - plan.start, chunk.stop - plan.start)
        positions[rows, 0] = each.poses[..., :2]
        likelihoods[rows, 0] = each.poses[..., 2]
        if spread is not None:
            spread[rows, 0] = each.poses[..., 3]
        if each.software not in software:  # several if packages changed between two sittings
            software.append(each.software)
    positions += (plan.crop[0], plan.crop[2])
    poses = Poses(
        positions,
        likelihoods,
        description.skeleton,
        np.arange(plan.start, plan.stop),
        description.individuals,
        fps=plan.info.fps,
        scorer=f"posenb_{description.name}",
        spread=spread,
    )
    return poses, software


def _story(plan: Plan, poses: Poses, software: list[Mapping[str, str]]) -> dict[str, Any]:
    """Tell how the poses came about, without anything that differs from run to run."""
    info = plan.info
    undecodable = int(np.isnan(poses.likelihoods).all(axis=(1, 2)).sum())
    return {
        "key": plan.key,
        "scorer": poses.scorer,
        "frames": {"start": plan.start, "stop": plan.stop, "undecodable": undecodable},
        "crop": plan.crop,
        "config": plan.config.model_dump(mode="json"),
        "video": {
            "url": plan.target.shown,
            **plan.known,
            "fps": info.fps,
            "frame_count": info.frame_count,
            "missing_frames": info.missing_frames,
            "width": info.width,
            "height": info.height,
        },
        "model": plan.model.story,
        "software": software,
    }
