"""The verb: frames of videos as images that wait to be labelled."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from posenb import storage
from posenb._progress import Progress, ProgressBar, tqdm_progress
from posenb.core import FrameName
from posenb.errors import ProjectError, VideoError, VideoWarning
from posenb.extraction.choosing import Thumbnails, choose_frames
from posenb.extraction.config import ExtractConfig, Method
from posenb.extraction.looking import find_candidates, look_at_video
from posenb.extraction.writing import Crop, find_crop, frame_numbers, write_frame
from posenb.project import Project, list_frames, open_project
from posenb.video import VideoReader, open_video

__all__ = ["extract_frames"]


def extract_frames(
    project: Project | storage.Url,
    count: int | None = None,
    method: Method | None = None,
    *,
    videos: str | Sequence[str] | None = None,
    config: ExtractConfig | None = None,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> tuple[FrameName, ...]:
    """Choose frames that are worth labelling and write them into the project as images.

    They lie in ``labeled-data/<video>/img<number>.png``, as DeepLabCut names them, without
    labels yet. What lies there stays and counts: running it again, also after it was cut
    off, adds only what is missing, and asking for more adds frames unlike those that are
    there. Near-duplicates are never taken, neither within a video nor across the videos
    of one call that have the same shape (see `choose_frames`).

    A crop cuts the images, as it does in DeepLabCut. Their labels are in pixels of the
    image, like all labels; `analyze`, which cuts the video likewise, gives poses in the
    whole frame.

    Parameters
    ----------
    project : Project, str or PathLike
        The project or its folder.
    count : int, optional
        Frames that each video shall have; 20 by default.
    method : {"kmeans", "uniform"}, optional
        One of each group of frames that look alike (the default), or one at random out
        of each stretch of equal length.
    videos : str or sequence of str, optional
        Names of videos of the project; all by default.
    config : ExtractConfig, optional
        Where neither it nor the options give a crop, the one that the project has for
        the video counts.
    progress : callable, optional
        Makes the progress bar of each video; it counts the frames that are looked at.
    **options
        Fields of `ExtractConfig`, such as ``seed=1``, ``start=100`` or
        ``crop=(0, 320, 0, 240)``.

    Returns
    -------
    tuple of FrameName
        The frames that were added.

    Raises
    ------
    ConfigError, InvalidInputError
        If an option is unknown, or crop or range do not lie in a video.
    UnknownNameError
        If the project has no video of that name.
    ProjectError
        If the project has no videos, or the file of one is gone.
    VideoError, StorageError
        If a video cannot be read or an image not be written.

    Warns
    -----
    VideoWarning
        If a video has fewer frames that differ than wanted, or is cut off.

    Examples
    --------
    >>> extract_frames("gs://lab/reach", count=50)  # doctest: +SKIP
    >>> extract_frames("gs://lab/reach", 10, "uniform", videos="m3v1")  # doctest: +SKIP
    """
    given = {"count": count, "method": method}
    options |= {name: value for name, value in given.items() if value is not None}
    chosen = ExtractConfig(**options) if config is None else config.replace(**options)
    home = project.reload() if isinstance(project, Project) else open_project(project)
    there = {name: list_frames(home, name) for name in _find_videos(home, videos)}
    added: list[FrameName] = []
    seen: list[np.ndarray] = []
    if all(len(frames) >= chosen.count for frames in there.values()):
        return ()
    # Videos that have enough come first, for what they show is not to be taken again.
    for name in sorted(there, key=lambda name: len(there[name]) < chosen.count):
        with open_video(home.video_url(name)) as video:
            work = _Work(home, name, video, chosen, find_crop(home, name, video.info, chosen.crop))
            if len(there[name]) < chosen.count:
                added += _extract(work, there[name], seen, progress)
            else:
                seen.append(work.look(frame_numbers(there[name], video.frame_count)).pictures)
    return tuple(added)


@dataclass(frozen=True, slots=True)
class _Work:
    """A video to take frames of, and how."""

    project: Project
    name: str
    video: VideoReader
    config: ExtractConfig
    crop: Crop

    def look(self, ranks: np.ndarray, bar: ProgressBar | None = None) -> Thumbnails:
        """Return small pictures of what the images show."""
        return look_at_video(self.video, ranks, crop=self.crop, bar=bar)


def _extract(
    work: _Work, there: Sequence[FrameName], seen: list[np.ndarray], progress: Progress
) -> list[FrameName]:
    """Add frames of one video; note in `seen` how those look that it has then."""
    config = work.config
    ranks = find_candidates(work.video.info, config)
    wanted = config.count - len(there)
    added: list[FrameName] = []
    with progress(len(ranks) + wanted, f"Extracting from {work.name}", "frame") as bar:
        candidates = work.look(ranks, bar)
        taken = work.look(frame_numbers(there, work.video.frame_count))
        unlike = _of_shape(seen, candidates.pictures.shape[1:])
        while wanted:
            indices = choose_frames(
                *(candidates, wanted + len(taken), config.method),
                seed=config.seed,
                taken=taken,
                unlike=unlike,
            )
            whole, names = _write(work, indices, bar)
            added += names
            wanted -= len(whole)
            taken = taken.joined(candidates.only(whole))
            if len(whole) == len(indices):
                break
            candidates = candidates.without(indices)  # some are damaged: choose others instead
    seen.append(taken.pictures)
    if wanted:
        warnings.warn(_too_few(work, wanted), VideoWarning, stacklevel=3)
    return added


def _write(
    work: _Work, indices: np.ndarray, bar: ProgressBar
) -> tuple[np.ndarray, list[FrameName]]:
    """Write frames; return those that could be decoded, and the names of those that are new."""
    whole: list[int] = []
    names: list[FrameName] = []
    for index in indices.tolist():
        try:
            name = write_frame(work.project, work.name, work.video, index, work.crop)
        except VideoError:
            continue
        whole.append(index)
        names += [] if name is None else [name]
        bar.advance()
    return np.array(whole, np.int64), names


def _too_few(work: _Work, lacking: int) -> str:
    config = work.config
    return (
        f"{config.count} frames of {work.name} were wanted, but only {config.count - lacking} "
        "differ enough from each other and from those of the videos before; more would be "
        "near-duplicates. Nothing is lost by that, but add videos or a wider range if the "
        "animals do more than this."
    )


def _find_videos(project: Project, videos: str | Sequence[str] | None) -> tuple[str, ...]:
    names = (
        tuple(project.videos)
        if videos is None
        else (videos,)
        if isinstance(videos, str)
        else videos
    )
    if not names:
        raise ProjectError(
            f"Frames are taken of the videos of a project; {project.url} has none. Add some with "
            "add_videos."
        )
    gone = [name for name in names if not storage.exists(project.video_url(name))]
    if gone:
        raise ProjectError(
            f"A video must be where the project says; of {len(names)} these are gone: "
            f"{', '.join(project.video_url(name) for name in gone)}. Put them back, add them from "
            "where they are now with add_videos, or name those that are there: videos=[...]."
        )
    return tuple(dict.fromkeys(names))


def _of_shape(seen: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    fitting = [pictures for pictures in seen if pictures.shape[1:] == shape]
    return np.concatenate([np.empty((0, *shape), np.uint8), *fitting])
