"""Which video is meant, where its poses go and which part of it counts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from posenb import storage
from posenb._names import unknown_name
from posenb.core import AnalyzeConfig
from posenb.errors import AnalysisError, InvalidInputError
from posenb.inference.ensemble import AnyModel
from posenb.project import Project, open_project
from posenb.video import VideoInfo

__all__ = ["Target", "find_targets", "identity", "whole_crop", "whole_range"]

Crop = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Target:
    """A video to analyze.

    Parameters
    ----------
    url : str
        The video.
    shown : str
        How the outputs name it: its path below the project, or its URL.
    output : str
        Folder for its poses.
    crop : (int, int, int, int), optional
        The part of the picture that counts in the project.
    """

    url: str
    shown: str
    output: str
    crop: Crop | None = None


def find_targets(
    model: AnyModel, videos: Sequence[storage.Url], output: storage.Url | None, *, several: bool
) -> list[Target]:
    """Find the videos that `videos` mean.

    Parameters
    ----------
    model : Model or Ensemble
    videos : sequence of str or PathLike
        Names of videos of the model's project, paths or URLs.
    output : str or PathLike, optional
        Folder for the poses.
    several : bool
        Whether each video gets a folder of its own below `output`.

    Raises
    ------
    UnknownNameError
        If a bare name is neither in the project nor a file.
    AnalysisError
        If two videos would share a folder.
    """
    project = None if model.project_url is None else open_project(model.project_url)
    found = [_target(model, project, video, output, several) for video in videos]
    folders = [target.output for target in found]
    for target in found:
        if folders.count(target.output) > 1:
            raise AnalysisError(
                "The poses of each video have a folder of their own, named after the video; "
                f"{', '.join(each.url for each in found if each.output == target.output)} would "
                f"share {target.output}. Analyze them one by one, each with its own output."
            )
    return found


def _target(
    model: AnyModel,
    project: Project | None,
    video: storage.Url,
    output: storage.Url | None,
    several: bool,
) -> Target:
    url, name = _locate(project, video)
    shown = None if project is None else storage.relative(url, project.url)
    folder = _folder(model, project, url, name)
    if output is not None:
        folder = storage.join(output, name) if several else storage.resolve(output)
    crop = None if project is None else project.crops.get(name)
    return Target(url, shown or url, folder, crop)


def _locate(project: Project | None, video: storage.Url) -> tuple[str, str]:
    """Return the URL of a video and its name, the project's if it is one of its videos."""
    text = os.fspath(video)
    known = {} if project is None else {project.video_url(name): name for name in project.videos}
    if project is not None and text in project.videos:
        return project.video_url(text), text
    url = storage.resolve(text)
    bare = PurePosixPath(text).name == text and "\\" not in text
    if url not in known and known and bare and not storage.exists(url):
        raise unknown_name("video", text, tuple(known.values()))
    return url, known.get(url, PurePosixPath(storage.name(url)).stem)


def _folder(model: AnyModel, project: Project | None, url: str, name: str) -> str:
    if project is not None:
        return project.poses_url(name, model.name)
    return storage.join(storage.parent(url), f"{name}_poses")


def identity(url: str) -> dict[str, str]:
    """Return what tells the content of a video from any other.

    A local video is read through once for its SHA-256; of a remote one, which would
    have to travel a second time, the storage's own mark is taken.
    """
    if storage.is_local(url):
        return {"sha256": storage.digest(url)}
    return {"fingerprint": storage.fingerprint(url)}


def whole_crop(target: Target, config: AnalyzeConfig, video: VideoInfo) -> Crop:
    """Return the part of the picture that counts.

    Raises
    ------
    InvalidInputError
        If it does not lie in the picture.
    """
    crop = config.crop or target.crop or (0, video.width, 0, video.height)
    x1, x2, y1, y2 = crop
    if not (0 <= x1 < x2 <= video.width and 0 <= y1 < y2 <= video.height):
        raise InvalidInputError(
            "A crop is x1, x2, y1, y2 with 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height; got "
            f"{crop} for {video.url}, which is {video.width} x {video.height} pixels. Give "
            "another crop."
        )
    return crop


def whole_range(config: AnalyzeConfig, video: VideoInfo) -> tuple[int, int]:
    """Return the first frame and the one after the last; what is cut off is left out.

    Raises
    ------
    InvalidInputError
        If they do not lie in the video, or there is none between them.
    """
    promised = video.frame_count + video.missing_frames
    stop = promised if config.stop is None else config.stop
    if not config.start < min(stop, video.frame_count) or stop > promised:
        missing = f", of which the last {video.missing_frames} are missing"
        raise InvalidInputError(
            "A frame range has 0 <= start < stop <= number of frames; got "
            f"start={config.start}, stop={config.stop} for {video.url}, which has {promised} "
            f"frames{missing if video.missing_frames else ''}. Give another range."
        )
    return config.start, min(stop, video.frame_count)
