"""From a model of the zoo to a project of one's own: its keypoints, and its eyes for labelling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from posenb import storage
from posenb._names import unknown_name
from posenb._progress import Progress, tqdm_progress
from posenb.core import AnalyzeConfig, FrameName, Poses, Skeleton, match_keypoints
from posenb.errors import InvalidInputError
from posenb.project import Project, frames_by_video, open_project, read_image
from posenb.project import create_project as create
from posenb.zoo.analyze import measure, model_file, predict_at
from posenb.zoo.card import Card
from posenb.zoo.fetching import fetch_member
from posenb.zoo.index import find_member

__all__ = ["create_project", "suggest"]

_MEASURED = 8  # frames on which the size of the animals is found, as in `analyze`


def create_project(
    url: storage.Url,
    model: storage.Url,
    *,
    keypoints: Sequence[str] | None = None,
    scorer: str | None = None,
    name: str | None = None,
) -> Project:
    """Create a project for the animal that a model of the zoo knows.

    It has the keypoints of the model, so that `suggest` finds them in its frames before they
    are labelled, and ``pn.train(project, start="zoo:...")`` goes on from what the model has
    learned. Called again with the same arguments, it opens the project.

    Parameters
    ----------
    url : str or PathLike
        The folder, which need not exist.
    model : str or PathLike
        A name, as `posenb.zoo.list` has them, or the folder of a model.
    keypoints : sequence of str, optional
        Those to track, instead of all of the model's; some may be new. Lines join those that
        the model joins.
    scorer : str, optional
        Who labels; ``"posenb"`` by default.
    name : str, optional
        The task; by default the name of the folder.

    Returns
    -------
    Project

    Raises
    ------
    UnknownNameError
        If there is no such model.
    ZooError
        If it was altered.
    ProjectError, InvalidInputError, ConfigError
        As `posenb.create_project`.
    """
    card = find_member(model).card
    chosen = card.keypoints if keypoints is None else tuple(keypoints)
    own = {theirs: mine for mine, theirs in match_keypoints(chosen, card.keypoints).items()}
    edges = [(own[a], own[b]) for a, b in card.skeleton if a in own and b in own]
    return create(url, keypoints=chosen, skeleton=edges, scorer=scorer, name=name)


def suggest(
    project: Project | storage.Url,
    model: storage.Url,
    *,
    videos: Sequence[str] | None = None,
    size: float | None = None,
    keypoints: Mapping[str, str] = MappingProxyType({}),
    progress: Progress = tqdm_progress,
) -> dict[str, Poses]:
    """Let a model of the zoo look at the frames of a project that are to be labelled.

    Only these frames are looked at, not their videos. What is found is a start for the
    labeller, ``pn.label(project, predictions=pn.zoo.suggest(project, model))``, and becomes a
    label only when it is accepted or corrected.

    Parameters
    ----------
    project : Project, str or PathLike
        Of one animal.
    model : str or PathLike
        A name, or the folder of a model.
    videos : sequence of str, optional
        Names of the videos whose frames to look at; by default all that have any.
    size : float, optional
        Length of the animal relative to those that the model learned from; by default it is
        found for each video.
    keypoints : mapping of str to str, optional
        Names of the model by those of the project, where they differ by more than case and
        punctuation.
    progress : callable, optional
        Makes the progress bars; they count sizes and videos.

    Returns
    -------
    dict of str to Poses
        By the name of the video, in pixels of the whole video. Images whose names do not tell
        which frame of the video they are have none.

    Raises
    ------
    UnknownNameError
        If there is no such model, video or keypoint.
    InvalidInputError
        If the project is of several animals, or shares no keypoint with the model.
    ZooError
        If the model was altered.
    LabelError, StorageError
        If the image of a frame cannot be read.
    """
    opened = project if isinstance(project, Project) else open_project(project)
    member = find_member(model)
    matched = match_keypoints(opened.skeleton.keypoints, member.card.keypoints, keypoints)
    _check_common(opened, member.card, matched)
    frames = frames_by_video(opened)
    for video in videos or ():
        if video not in frames:
            raise unknown_name("video with extracted frames", video, tuple(frames))
    eye = _Eye(model_file(fetch_member(member), AnalyzeConfig()), member.card, size, progress)
    chosen = list(frames) if videos is None else list(videos)
    found = {}
    with progress(len(chosen), "Looking at frames", "video") as bar:
        for video in chosen:
            numbered = {n: frame for frame in frames[video] if (n := frame.number) is not None}
            if numbered:
                found[video] = _poses(opened, numbered, eye, matched)
            bar.advance(1, video=video)
    return found


@dataclass(frozen=True, slots=True)
class _Eye:
    """A model and how it looks."""

    file: Path
    card: Card
    size: float | None
    progress: Progress

    def see(self, pictures: np.ndarray) -> np.ndarray:
        """Return x, y and likelihood, shape (N, K, 3), of pictures of one shape."""
        config, size = AnalyzeConfig(), self.size
        if size is None:
            few = np.linspace(0, len(pictures) - 1, min(_MEASURED, len(pictures))).astype(int)
            size = measure(self.file, pictures[few], self.card, config, self.progress).value
        return predict_at(self.file, pictures, size, config)


def _check_common(project: Project, card: Card, matched: Mapping[str, str]) -> None:
    if len(project.individuals) > 1:
        raise InvalidInputError(
            f"A model of the zoo sees one animal; the project has {len(project.individuals)}: "
            f"{', '.join(project.individuals)}. Label a project of one animal with it."
        )
    if not matched:
        raise InvalidInputError(
            f"A model finds keypoints that it knows by name; {card.name} knows none of "
            f"{', '.join(project.skeleton.keypoints)}, but {', '.join(card.keypoints)}. Say which "
            'are the same: keypoints={"own name": "its name"}.'
        )


def _poses(
    project: Project, numbered: Mapping[int, FrameName], eye: _Eye, matched: Mapping[str, str]
) -> Poses:
    """Return what is seen in the images of one video, whose shapes may differ."""
    numbers = sorted(numbered)
    pictures = [read_image(project, numbered[number]) for number in numbers]
    channels = [eye.card.keypoints.index(name) for name in matched.values()]
    seen = np.empty((len(pictures), len(channels), 3))
    for shape in dict.fromkeys(picture.shape for picture in pictures):
        rows = [row for row, picture in enumerate(pictures) if picture.shape == shape]
        seen[rows] = eye.see(np.stack([pictures[row] for row in rows]))[:, channels]
    left, _, top, _ = project.crops.get(numbered[numbers[0]].video, (0, 0, 0, 0))
    return Poses(
        seen[:, None, :, :2] + np.array([left, top]),
        seen[:, None, :, 2],
        Skeleton(tuple(matched)),
        frames=np.array(numbers),
        individuals=project.individuals,
        scorer=f"posenb_{eye.card.name}",
        provenance={"zoo": {"model": eye.card.name, "keypoints": dict(matched)}},
    )
