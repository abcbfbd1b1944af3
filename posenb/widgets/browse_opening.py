"""What belongs to poses: their video, and the project that can take frames of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from posenb import storage
from posenb.core import FrameName, Poses
from posenb.errors import PosenbError, StorageError, VideoError, VideoWarning
from posenb.inference import source_video
from posenb.project import Project, list_frames, open_project
from posenb.video import VideoReader, open_video

__all__ = ["Place", "Source", "find_place", "find_source", "list_images"]

_ABOVE = 5  # folders above the poses in which a project is looked for


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The video of poses.

    Parameters
    ----------
    title : str
        What to call it.
    url : str, optional
    video : VideoReader, optional
        Open; None if it is not at hand.
    trouble : str, optional
        Why it is not at hand, or does not seem to be the one.
    """

    title: str
    url: str | None = None
    video: VideoReader | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where frames go that are to be labelled.

    Parameters
    ----------
    project : Project, optional
    video : str, optional
        The video's name in it.
    trouble : str, optional
        Why no frame can go anywhere.
    """

    project: Project | None = None
    video: str = ""
    trouble: str = ""


def find_source(poses: Poses, video: storage.Url | None) -> Source:
    """Return the video of poses, opened.

    Raises
    ------
    VideoError, StorageError
        If a video that was asked for cannot be read.
    """
    url = source_video(poses) if video is None else storage.resolve(video)
    title = _title(poses, url)
    if url is None:
        return Source(
            title, trouble="The video is not at hand. Say where it lies: pn.browse(poses, video)."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VideoWarning)  # what is there is shown
            reader = open_video(url)
    except (VideoError, StorageError) as error:
        if video is not None:
            raise
        return Source(title, url, trouble=f"The video cannot be read: {error}")
    return Source(title, url, reader, _mismatch(poses, reader))


def find_place(poses: Poses, source: Source, project: Project | storage.Url | None) -> Place:
    """Return where frames of the video go.

    Parameters
    ----------
    poses : Poses
    source : Source
    project : Project, str or PathLike, optional
        By default the one in whose folder the poses, or else the video, lie.

    Raises
    ------
    PosenbError
        If a project that was asked for cannot be opened.
    """
    home = _find_project(poses, source) if project is None else _opened(project)
    if home is None:
        return Place(
            trouble="These poses lie in no project. Name one to take frames into it: "
            "pn.browse(poses, project=project)."
        )
    if source.video is None:
        return Place(home, trouble="Without the video, no frame can be taken.")
    name = _name_in(home, source.video.url)
    if name is None:
        return Place(
            home,
            trouble=f"{storage.name(source.video.url)} is no video of the project {home.name}. "
            "Add it with pn.add_videos.",
        )
    return Place(home, name)


def list_images(project: Project, video: str) -> tuple[dict[int, FrameName], frozenset[int]]:
    """Return which frames of a video are images of the project, and which are labelled.

    Raises
    ------
    PosenbError
        If the labels cannot be read.
    """
    numbered = {frame: frame.number for frame in list_frames(project, video)}
    images = {n: frame for frame, n in numbered.items() if n is not None}
    labelled: set[int] = set()
    if images and project.has_labels():
        labels = project.labels()
        assert labels.visibility is not None
        known = {labels.frames[n] for n in np.argwhere(labels.visibility)[:, 0].tolist()}
        labelled = {n for n, frame in images.items() if frame in known}
    return images, frozenset(labelled)


def _title(poses: Poses, url: str | None) -> str:
    told = poses.provenance.get("video")
    known = told.get("url") if isinstance(told, dict) else None
    for each in (url, known, poses.url):
        if isinstance(each, str):
            return storage.name(each)
    return "Poses"


def _mismatch(poses: Poses, video: VideoReader) -> str:
    assert poses.frames is not None
    last = int(poses.frames[-1])
    if last < len(video):
        return ""
    return (
        f"The poses go up to frame {last}, the video only to {len(video) - 1}. Is it another one, "
        "or was it cut?"
    )


def _opened(project: Project | storage.Url) -> Project:
    return project if isinstance(project, Project) else open_project(project)


def _find_project(poses: Poses, source: Source) -> Project | None:
    for start in (poses.url, source.url):
        folder = start
        for _ in range(_ABOVE if start is not None else 0):
            assert folder is not None
            folder = storage.parent(folder)
            try:
                return open_project(folder)
            except PosenbError:
                continue
    return None


def _name_in(project: Project, url: str) -> str | None:
    for name in project.videos:
        if project.video_url(name) == url:
            return name
    # A copy of the video elsewhere is as good, where its name tells which it is.
    stem = PurePosixPath(storage.name(url)).stem
    return stem if stem in project.videos else None
