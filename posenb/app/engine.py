"""What the first steps do: look at a video, try a model on it, find the animal in it."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from posenb import storage, zoo
from posenb._progress import Progress, silent_progress
from posenb.app.results import SHARPEST
from posenb.app.state import POOR, SHARP, Clip, Options, Trial
from posenb.core import AnalyzeConfig, FrameFormat, Poses
from posenb.errors import InvalidInputError
from posenb.inference.model import find_model
from posenb.inference.variants import Variants
from posenb.plots.theme import keypoint_colours
from posenb.video import open_video
from posenb.widgets.frame_feed import encode_jpeg
from posenb.zoo.analyze import measure, model_file, predict_at, sample_frames
from posenb.zoo.sizing import STEPS

if TYPE_CHECKING:
    from posenb.video import VideoInfo

__all__ = [
    "analyze_clip",
    "config_of",
    "look_at_clip",
    "try_model",
]

_PICTURE = 640  # pixels of the picture of a video
_AROUND = 4.0  # lengths of the animal that a picture of it shows
_NEAREST = 0.35  # share of the frame that it shows at least
_FAINT = 0.1  # likelihood below which a point is not shown
_MEASURED = 480_000  # pixels of a frame of which the animal is measured
_TIMED, _REPEATED = 12, 2  # frames over which reading and the network are timed
_PAINTED = 9e-9  # seconds to draw and encode a pixel


def look_at_clip(path: Path, name: str) -> tuple[Clip, str]:
    """Open a video and show its first frame.

    Parameters
    ----------
    path : Path
    name : str
        As its owner calls it.

    Returns
    -------
    Clip
    str
        The first frame that can be decoded, as a ``data:`` URL.

    Raises
    ------
    VideoError
        If it is no readable video.
    """
    with open_video(path, warn=False) as video:
        info = video.info
        _, frame = next(video.read())
    clip = Clip(
        name=name,
        frames=info.frame_count,
        fps=info.fps,
        width=info.width,
        height=info.height,
        seconds=info.duration,
        size=path.stat().st_size,
        missing=info.missing_frames,
    )
    return clip, _picture(frame)


def config_of(video: storage.Url, options: Options) -> AnalyzeConfig:
    """Return how a video is analyzed with the options of a visitor.

    Raises
    ------
    InvalidInputError
        If no frame lies between start and stop.
    """
    with open_video(video, warn=False) as reader:
        first, last = _range(reader.info, options)
        sharp = reader.info.width * reader.info.height > SHARP
    return AnalyzeConfig(
        start=first,
        stop=None if options.stop is None else last,
        flip=options.quality == "exact",
        scales=(0.5,) if options.quality == "fast" else (1.0,),
        # 16 frames of 3840 x 2160 at a time needed 5.8 GB and three times as long as one by one.
        batch_size=1 if sharp else "auto",
    )


def try_model(path: Path, model: str, options: Options) -> tuple[Trial, str]:
    """Let a model look at a few frames of a video, as far apart as they can be.

    Parameters
    ----------
    path : Path
    model : str
        Name.
    options : Options

    Returns
    -------
    Trial
    str
        One of the frames with what was found in it, as a ``data:`` URL.

    Raises
    ------
    ZooError
        If the model was altered.
    VideoError, ModelError
        If a frame or the model cannot be read.
    """
    config = config_of(path, options).replace(flip=False, scales=(1.0,))
    card, file = zoo.show(model), model_file(zoo.fetch(model), config)
    frames = sample_frames(path, config)[::2]
    small, shrunk = _shrink(frames)
    if options.size is None:
        found = measure(file, small, card, config, silent_progress)
        # Where nothing was found, no size is better than another; so the quickest.
        seen_as = found.value if found.likelihood >= POOR else 1.0
    else:
        seen_as = options.size * shrunk
    size = min(max(seen_as / shrunk, STEPS[0]), STEPS[-1])
    points = predict_at(file, small, min(max(size * shrunk, STEPS[0]), STEPS[-1]), config)
    best = int(points[..., 2].mean(axis=1).argmax())
    trial = Trial(
        size=size,
        likelihood=float(points[..., 2].mean()),
        network=_network_time(file, frames, config.replace(scales=(1 / size,))),
        rest=_reading_time(path, config) + _drawing_time(*frames.shape[1:3]),
    )
    return trial, _picture(_marked(*_near(frames[best], points[best], shrunk)))


def analyze_clip(
    video: storage.Url, model: str, options: Options, progress: Progress, **further: Any
) -> Poses:
    """Find the animal in every frame; the files are those of `posenb.zoo.analyze`.

    Where no size is given, it is found as `posenb.zoo.analyze` finds it.

    Parameters
    ----------
    video : str or PathLike
    model : str
        Name, or the folder of a model.
    options : Options
    progress : callable
    **further
        Other options of `posenb.zoo.analyze`, which count before these, such as ``output``.

    Raises
    ------
    PosenbError
        As `posenb.zoo.analyze`.
    """
    config = config_of(video, options)
    if config.flip:  # it is what "exact" adds, where the model gains by it
        found = find_model(model_file(zoo.fetch(model), config), runtime=config.runtime)
        config = config.replace(flip=found.description.knows_mirrored)
    return zoo.analyze(video, model, size=options.size, config=config, progress=progress, **further)


def _picture(frame: np.ndarray) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(encode_jpeg(frame, _PICTURE)).decode()}"


def _near(frame: np.ndarray, points: np.ndarray, shrunk: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the part of a frame around its animal, and the points of its small copy there."""
    xy = (points[:, :2] + 0.5) / shrunk - 0.5
    seen = xy[points[:, 2] >= POOR]
    size = np.array(frame.shape[1::-1])
    part = size
    if len(seen) > 1:
        length = float(np.ptp(seen, axis=0).max())
        part = np.ceil(size * min(1.0, max(_AROUND * length / size.min(), _NEAREST))).astype(int)
        middle = (seen.min(axis=0) + seen.max(axis=0)) / 2
        left, top = np.clip(middle - part / 2, 0, size - part).astype(int)
    else:
        left = top = 0
    there = np.column_stack([xy - (left, top), points[:, 2]])
    return frame[top : top + part[1], left : left + part[0]], there


def _marked(frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return a frame with points of some likelihood in it, paler where they are less likely."""
    from PIL import Image, ImageColor, ImageDraw

    image = Image.fromarray(frame)
    draw = ImageDraw.Draw(image, "RGBA")
    radius = max(2.5, max(image.size) / 110)
    for (x, y, likelihood), colour in zip(points, keypoint_colours(len(points)), strict=True):
        if likelihood < _FAINT:
            continue
        box = (x - radius, y - radius, x + radius, y + radius)
        opacity = int(255 * min(1.0, likelihood + 0.2))
        fill = (*ImageColor.getrgb(colour), opacity)
        draw.ellipse(
            box, fill=fill, outline=(255, 255, 255, opacity), width=max(1, round(radius / 4))
        )
    return np.asarray(image)


def _range(info: VideoInfo, options: Options) -> tuple[int, int]:
    """Return the first frame and the one after the last."""
    early = 0.5 / info.fps
    first = int(np.searchsorted(info.times, options.start - early))
    last = info.frame_count
    if options.stop is not None:
        last = int(np.searchsorted(info.times, options.stop - early))
    if not 0 <= first < last:
        raise InvalidInputError(
            f"The part to look at must hold a frame; from {options.start:g} s to "
            f"{info.duration if options.stop is None else options.stop:g} s there is none. Change "
            "one of the two."
        )
    return first, last


def _shrink(frames: np.ndarray) -> tuple[np.ndarray, float]:
    """Return frames small enough to look at them many times, and their scale."""
    from PIL import Image

    height, width = frames.shape[1:3]
    scale = min(1.0, float(np.sqrt(_MEASURED / (height * width))))
    if scale == 1.0:
        return frames, scale
    size = (round(width * scale), round(height * scale))
    small = [Image.fromarray(frame).resize(size, Image.Resampling.BOX) for frame in frames]
    return np.stack([np.asarray(each) for each in small]), scale


def _network_time(file: Path, frames: np.ndarray, config: AnalyzeConfig) -> float:
    """Return how many seconds the network takes for a frame."""
    variants = Variants(scales=config.scales)
    model = find_model(file, runtime=config.runtime, precision=config.precision, variants=variants)
    predict = model.predict(FrameFormat("rgb", *frames.shape[1:3]), 1)
    flat = frames.reshape(len(frames), 1, -1)
    predict(flat[0])  # the first time takes longer
    began = time.perf_counter()
    for frame in flat[:_REPEATED]:
        predict(frame)
    return (time.perf_counter() - began) / min(_REPEATED, len(flat))


def _reading_time(path: Path, config: AnalyzeConfig) -> float:
    """Return how many seconds it takes to read a frame."""
    with open_video(path, warn=False) as video:
        stop = min(config.start + _TIMED, len(video))
        began = time.perf_counter()
        count = sum(1 for _ in video.read(config.start, stop))
        return (time.perf_counter() - began) / max(1, count)


def _drawing_time(height: int, width: int) -> float:
    """Return how many seconds it takes about to draw a frame."""
    return height * width * min(1.0, SHARPEST / max(height, width)) ** 2 * _PAINTED
