"""Making a labelled video: decode, draw and encode, each in a thread of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import cycle
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import Poses
from posenb.errors import AnalysisError, InvalidInputError
from posenb.inference import load_poses, source_video
from posenb.inference.ahead import ahead
from posenb.overlays.config import LabelledVideoConfig
from posenb.overlays.lettering import Word, write_words
from posenb.overlays.schedule import Schedule, frame_range, make_schedule
from posenb.overlays.view import View, make_view
from posenb.video import VideoInfo, VideoReader, VideoWriter, open_video

if TYPE_CHECKING:  # they load matplotlib, which the options of a video do not need
    from posenb.overlays.canvas import Canvas
    from posenb.overlays.overlay import Overlay
    from posenb.overlays.traces import Traces

__all__ = ["Scene", "labelled_video", "make_scene"]

_AHEAD = 4  # frames that wait between two threads
_LEAST = 120  # pixels of a picture that has traces beside it
_BROAD = 1.7  # width by height from which on the traces stand below the picture


def labelled_video(
    poses: Poses | storage.Url,
    video: storage.Url | None = None,
    *,
    output: storage.Url | None = None,
    config: LabelledVideoConfig | None = None,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> str:
    """Draw what was found over every frame of a video.

    The new video is H.264 in yuv420p, which browsers play. It is there whole or not at
    all; one of before is replaced in the end.

    Parameters
    ----------
    poses : Poses, str or PathLike
        Or the folder or table they lie in, as `load_poses` takes it.
    video : str or PathLike, optional
        The video they belong to; by default the one that they were found in.
    output : str or PathLike, optional
        The ``.mp4`` to write, or a folder for ``<video>_labelled.mp4``. By default it is
        ``labelled.mp4`` beside the poses, or ``<video>_labelled.mp4`` beside the video if
        they lie in no file.
    config : LabelledVideoConfig, optional
    progress : callable, optional
        Makes the progress bar; it counts frames of the new video.
    **options
        Fields of `LabelledVideoConfig`, such as ``speed=0.5``, ``start="10s"`` or
        ``traces=True``.

    Returns
    -------
    str
        URL of the new video.

    Raises
    ------
    AnalysisError
        If the video is not given and cannot be found.
    ConfigError, InvalidInputError
        If an option is unknown or out of range, the poses do not belong to the video or
        the output is no ``.mp4``.
    UnknownNameError
        If a keypoint does not exist.
    LabelError
        If there are no poses at the URL.
    VideoError, StorageError
        If the video cannot be read or the new one cannot be written.

    Warns
    -----
    VideoWarning
        If frames of the video are missing or cannot be decoded; the picture before stays
        in their place.

    Examples
    --------
    >>> labelled_video("reach/poses/m3v1/first", traces=True)  # doctest: +SKIP
    """
    chosen = LabelledVideoConfig(**options) if config is None else config.replace(**options)
    known = poses if isinstance(poses, Poses) else load_poses(poses)
    source = _source(known, video)
    target = _target(known, source, output)
    with open_video(source) as reader:
        _check_fit(known, reader.info)
        scene, schedule = make_scene(known, reader.info, chosen)
        title = f"Drawing {storage.name(target)}"
        with (
            VideoWriter(target, fps=schedule.fps, crf=chosen.crf, bitrate=chosen.bitrate) as writer,
            progress(len(schedule.indices), title, "frame") as bar,
            ExitStack() as threads,
        ):
            pictures = ahead(_pictures(reader, schedule.indices), _AHEAD)
            threads.enter_context(closing(pictures))
            painted = ahead(_painted(scene, pictures), _AHEAD)
            threads.enter_context(closing(painted))
            for picture in painted:
                writer.write(picture)
                bar.advance()
    return target


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that turns a frame of the source into one of the new video.

    Parameters
    ----------
    view : View
    canvas : Canvas
    overlay : Overlay
    traces : Traces or None
    below : bool
        Whether the traces stand below the picture, not to its right.
    info : VideoInfo
    stamp : {"none", "frame", "time", "both"}
    letters : int
        Height of letters, pixels.
    """

    view: View
    canvas: Canvas
    overlay: Overlay
    traces: Traces | None
    below: bool
    info: VideoInfo
    stamp: str
    letters: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the new video's pictures."""
        width, height = self.view.size
        if self.traces is None:
            return height, width, 3
        down, across, _ = self.traces.strong.shape
        return (height + down, width, 3) if self.below else (height, width + across, 3)

    def paint(self, index: int, frame: np.ndarray, out: np.ndarray) -> None:
        """Make a picture of frame `index`.

        Parameters
        ----------
        index : int
        frame : ndarray of uint8, shape (H, W, 3)
            Of the source.
        out : ndarray of uint8
            Takes the picture; its shape is the scene's.
        """
        width, height = self.view.size
        picture = out[:height, :width]
        self.canvas.draw(self.view.cut(frame), self.overlay.drawings(index), picture)
        margin = 0.7 * self.letters
        stamp = [] if self.stamp == "none" else [Word(self._stamp(index), margin, height - margin)]
        write_words(picture, [*stamp, *self.overlay.words(index)], self.letters)
        if self.traces is not None:
            self.traces.draw(index, out[height:] if self.below else out[:, width:])

    def _stamp(self, index: int) -> str:
        seconds = float(self.info.times[index])
        time = f"{seconds:.2f} s"
        if self.info.duration >= 60:
            time = f"{int(seconds // 60)}:{seconds % 60:05.2f}"
        parts = {"frame": f"frame {index}", "time": time}
        return parts.get(self.stamp) or f"{parts['time']}   {parts['frame']}"


def make_scene(
    poses: Poses, info: VideoInfo, config: LabelledVideoConfig
) -> tuple[Scene, Schedule]:
    """Prepare a labelled video.

    Raises
    ------
    InvalidInputError
        If the frame range or the crop does not lie in the video, or there are no poses.
    UnknownNameError
        If a keypoint does not exist.
    """
    from posenb.overlays.canvas import Canvas
    from posenb.overlays.overlay import make_overlay, make_track
    from posenb.overlays.traces import make_traces

    assert poses.frames is not None
    default = (int(poses.frames[0]), int(poses.frames[-1]) + 1)
    start, stop = frame_range(config.start, config.stop, default, info)
    view = make_view(config.crop, config.scale, info)
    reach = round(config.past * info.fps), round(config.future * info.fps)
    track = make_track(poses, start - reach[0], stop + reach[1], config)
    width, height = view.size
    below = width > _BROAD * height
    traces = None
    if config.traces:
        if min(view.size) < _LEAST:
            raise InvalidInputError(
                f"Traces stand beside pictures of at least {_LEAST} x {_LEAST} pixels; this one "
                f"has {width} x {height}. Give a larger scale."
            )
        size = (width, round(0.6 * width)) if below else (max(round(1.15 * height), 320), height)
        traces = make_traces(track, info.times, (start, stop), size, config.theme)
    scene = Scene(
        view,
        Canvas(width, height),
        make_overlay(track, view, info.fps, config),
        traces,
        below,
        info,
        config.stamp,
        max(9, round(np.sqrt(width * height) / 44)),
    )
    return scene, make_schedule(info.times, info.fps, start, stop, config.speed)


def _source(poses: Poses, video: storage.Url | None) -> str:
    if video is not None:
        return storage.resolve(video)
    found = source_video(poses)
    if found is not None:
        return found
    told = poses.provenance.get("video")
    named = f", {told['url']}, is not there any more" if isinstance(told, dict) else " is not told"
    raise AnalysisError(
        "A labelled video is drawn over the video that the poses were found in; it"
        f"{named}. Name it: labelled_video(poses, '/where/it/lies.mp4')."
    )


def _target(poses: Poses, source: str, output: storage.Url | None) -> str:
    if output is None:
        origin = source if poses.url is None else poses.url
        stem = PurePosixPath(storage.name(origin)).stem
        name = "labelled.mp4" if stem == "poses" else f"{stem}_labelled.mp4"
        return storage.join(storage.parent(origin), name)
    target = storage.resolve(output)
    if os.fspath(output).endswith("/") or storage.is_folder(target):
        stem = PurePosixPath(storage.name(source)).stem
        target = storage.join(target, f"{stem}_labelled.mp4")
    if not target.lower().endswith(".mp4") or target == source:
        raise InvalidInputError(
            f"A labelled video is a new file that ends in .mp4; got {os.fspath(output)!r}. "
            "Give another name, or a folder."
        )
    return target


def _check_fit(poses: Poses, info: VideoInfo) -> None:
    assert poses.frames is not None
    promised = info.frame_count + info.missing_frames
    if not len(poses):
        raise InvalidInputError(
            "A labelled video shows the frames that have poses; there are none. Give the poses of "
            f"{info.url}."
        )
    if poses.frames[0] < 0 or poses.frames[-1] >= promised:
        raise InvalidInputError(
            f"Poses belong to frames of their video; these reach from {poses.frames[0]} to "
            f"{poses.frames[-1]}, and {info.url} has frames 0 to {promised - 1}. Name the video "
            "they were found in."
        )


def _pictures(reader: VideoReader, indices: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the frames `indices`; where one cannot be decoded, the one before stays."""
    first, last = int(indices[0]), int(indices[-1])
    step = int(np.gcd.reduce(np.diff(indices))) or 1
    read = reader.read(first, last + 1, step)
    shown = following = next(read, None)
    if shown is None:
        return
    for index in indices.tolist():
        while following is not None and following[0] <= index:
            shown, following = following, next(read, None)
        yield index, shown[1]


def _painted(scene: Scene, pictures: Iterator[tuple[int, np.ndarray]]) -> Iterator[np.ndarray]:
    # Used again and again, for fresh memory costs more than the drawing; so many that none
    # is painted over while it waits or is encoded.
    buffers = cycle([np.empty(scene.shape, np.uint8) for _ in range(_AHEAD + 2)])
    shown = None
    for index, frame in pictures:
        if index != shown:
            out, shown = next(buffers), index
            scene.paint(index, frame, out)
        yield out
