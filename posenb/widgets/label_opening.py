"""What there is to label in a project, and what a model suggests for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from posenb import storage
from posenb._names import unknown_name
from posenb.core import FrameName, Labels, Poses
from posenb.errors import ProjectError, UnknownNameError
from posenb.labels import read_poses
from posenb.labels.files import FOLDER
from posenb.project import Project, Run, frames_by_video
from posenb.widgets.label_state import LabelState, Suggestion, new_state

__all__ = ["Predictions", "open_labels"]

Predictions = Run | str | Mapping[str, Poses]


def open_labels(
    project: Project,
    videos: Sequence[str] | None = None,
    predictions: Predictions | None = None,
    *,
    only: Collection[FrameName] | None = None,
) -> LabelState:
    """Return the state in which labelling begins.

    Parameters
    ----------
    project : Project
    videos : sequence of str, optional
        Names of the videos whose frames to label; by default all that have any.
    predictions : Run, str or mapping of str to Poses, optional
        Where a model sees the keypoints: a run of the project or its name, whose poses
        lie in the project, or poses by the name of the video. They are in pixels of the
        whole video, also where the project's images are cut out of it.
    only : collection of FrameName, optional
        Which of those frames; all by default.

    Raises
    ------
    ProjectError
        If there is no frame.
    UnknownNameError
        If a video or run is not known.
    """
    known = frames_by_video(project)
    for video in videos or ():
        if video not in known:
            raise unknown_name("video with extracted frames", video, tuple(known))
    chosen = [video for video in known if videos is None or video in videos]
    found = (frame for video in chosen for frame in known[video])
    frames = tuple(frame for frame in found if only is None or frame in only)
    if not frames:
        raise ProjectError(
            f"Labelling needs images of frames in {storage.join(project.url, FOLDER)}; there are "
            "none. Extract some first: pn.extract_frames(project)."
        )
    labels = project.labels() if project.has_labels() else _nothing(project)
    return new_state(frames, labels, _suggestions(project, frames, predictions))


def _nothing(project: Project) -> Labels:
    shape = (0, len(project.individuals), len(project.skeleton), 2)
    return Labels((), np.empty(shape), project.skeleton, project.individuals)


def _suggestions(
    project: Project, frames: tuple[FrameName, ...], predictions: Predictions | None
) -> dict[int, Suggestion]:
    if predictions is None:
        return {}
    videos = dict.fromkeys(frame.video for frame in frames)
    found = (
        dict(predictions)
        if isinstance(predictions, Mapping)
        else _poses_of_run(project, predictions, list(videos))
    )
    for video in found:
        if video not in videos:
            raise unknown_name("video with extracted frames", video, tuple(videos))
    rows = {video: _rows(poses) for video, poses in found.items()}
    suggestions = {}
    for n, frame in enumerate(frames):
        index = frame.number
        row = None if index is None else rows.get(frame.video, {}).get(index)
        if row is not None:
            arranged = _arranged(found[frame.video], row, project)
            left, _, top, _ = project.crops.get(frame.video, (0, 0, 0, 0))
            suggestions[n] = replace(arranged, positions=arranged.positions - (left, top))
    return suggestions


def _poses_of_run(project: Project, run: Run | str, videos: list[str]) -> dict[str, Poses]:
    name = run.name if isinstance(run, Run) else run
    urls = {video: storage.join(project.poses_url(video, name), "poses.h5") for video in videos}
    found = {video: read_poses(url) for video, url in urls.items() if storage.exists(url)}
    if not found:
        raise UnknownNameError(
            f"The run {name!r} has poses of none of the videos {', '.join(videos)}. Analyze one of "
            "them first: pn.analyze(run, video)."
        )
    return found


def _rows(poses: Poses) -> dict[int, int]:
    assert poses.frames is not None
    return {int(frame): row for row, frame in enumerate(poses.frames)}


def _arranged(poses: Poses, row: int, project: Project) -> Suggestion:
    """Return the poses of a frame with the project's animals and keypoints."""
    shape = (len(project.individuals), len(project.skeleton))
    positions, likelihoods = np.full((*shape, 2), np.nan), np.full(shape, np.nan)
    one = len(poses.individuals) == 1 == len(project.individuals)
    for i, individual in enumerate(project.individuals):
        if not one and individual not in poses.individuals:
            continue
        source = 0 if one else poses.individuals.index(individual)
        for k, keypoint in enumerate(project.skeleton.keypoints):
            if keypoint in poses.skeleton.keypoints:
                cell = (row, source, poses.skeleton.index(keypoint))
                positions[i, k] = poses.positions[cell]
                likelihoods[i, k] = poses.likelihoods[cell]
    return Suggestion(positions, likelihoods)
