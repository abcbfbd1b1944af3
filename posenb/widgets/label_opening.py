"""What there is to label in a project, and what a model suggests for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from posenb import storage
from posenb._registry import unknown_name
from posenb.core import FrameName, Labels, Poses
from posenb.errors import ProjectError, UnknownNameError
from posenb.labels import read_poses
from posenb.labels.files import FOLDER
from posenb.project import Project, Run, list_frames
from posenb.widgets.label_state import LabelState, Suggestion, new_state

__all__ = ["Predictions", "open_labels"]

Predictions = Run | str | Mapping[str, Poses]


def open_labels(
    project: Project,
    videos: Sequence[str] | None = None,
    predictions: Predictions | None = None,
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

    Raises
    ------
    ProjectError
        If there is no frame.
    UnknownNameError
        If a video or run is not known.
    """
    known = _videos_with_frames(project)
    for video in videos or ():
        if video not in known:
            raise unknown_name("video with extracted frames", video, tuple(known))
    chosen = [video for video in known if videos is None or video in videos]
    frames = tuple(frame for video in chosen for frame in known[video])
    if not frames:
        raise ProjectError(
            f"Labelling needs images of frames in {storage.join(project.url, FOLDER)}; there are "
            "none. Extract some first: pn.extract_frames(project)."
        )
    labels = project.labels() if project.has_labels() else _nothing(project)
    return new_state(frames, labels, _suggestions(project, frames, predictions))


def _videos_with_frames(project: Project) -> dict[str, tuple[FrameName, ...]]:
    """Return the frames of each video, those of the manifest first and in its order."""
    if project.table is not None:
        below = [""] if list_frames(project, "") else []
        folders = below + _folders(project)
    else:
        own = set(_folders(project))
        folders = [video for video in project.videos if video in own]
        folders += sorted(own - set(folders))
    frames = {video: _in_order(list_frames(project, video)) for video in folders}
    return {video: found for video, found in frames.items() if found}


def _folders(project: Project) -> list[str]:
    folders = storage.list_folders(storage.join(project.url, FOLDER))
    names = [storage.name(folder) for folder in folders]
    # DeepLabCut and check_labels draw labels over frames into folders of this name.
    return [
        name
        for name in names
        if not (name.endswith("_labeled") and name.removesuffix("_labeled") in names)
    ]


def _in_order(frames: Sequence[FrameName]) -> tuple[FrameName, ...]:
    """Return frames sorted by the numbers in their names."""

    def key(frame: FrameName) -> list[tuple[int, str]]:
        parts = re.split(r"(\d+)", frame.image)
        return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]

    return tuple(sorted(frames, key=key))


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
        index = _frame_index(frame)
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


def _frame_index(frame: FrameName) -> int | None:
    """Return the frame of the video that an image shows, as its name ends in it."""
    match = re.search(r"(\d+)$", PurePosixPath(frame.image).stem)
    return int(match[1]) if match else None


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
