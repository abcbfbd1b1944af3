"""The verb `analyze_live`: poses of frames while they come."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from typing import Any, Protocol

import numpy as np

from posenb import storage
from posenb._progress import Progress, ProgressBar, tqdm_progress
from posenb.errors import AnalysisError
from posenb.inference.model import Model, find_model
from posenb.live.config import LiveConfig
from posenb.live.lines import PoseLines, growing_table
from posenb.live.newest import in_turn, newest
from posenb.live.predictor import LivePose, LivePredictor
from posenb.live.recording import LiveRecording, Recorder, save_recording
from posenb.live.sources import Feed, open_feed
from posenb.project import Run

__all__ = ["Processor", "analyze_live"]

_LOG = logging.getLogger("posenb.live")
_PER_REPORT = 30  # poses between two words of the bar about latency


class Processor(Protocol):
    """Whatever acts on poses: sets a digital line, plays a sound, moves a stage."""

    def __call__(self, found: LivePose, /) -> object:
        """Take the pose of the newest frame; the loop waits until this returns."""
        ...


def analyze_live(
    run: Run | storage.Url,
    source: int | str | Iterable[np.ndarray],
    processor: Processor | None = None,
    *,
    config: LiveConfig | None = None,
    output: storage.Url | None = None,
    progress: Progress = tqdm_progress,
    **options: Any,
) -> LiveRecording:
    """Find the keypoints in frames while they come, each as soon as can be.

    Frames go through the model one by one, and `processor` gets each pose at once. All
    that takes long is done before the first frame: loading, compiling, first calls.
    It ends with the source, after `frames` or `seconds`, or when it is interrupted
    (Ctrl-C, the notebook's stop button); either way what was found is returned.

    Parameters
    ----------
    run : Run, str or PathLike
        A finished run, the folder of one, or a ``.keras`` or ``.onnx`` file.
    source : int, str or iterable of ndarray
        A camera by its number, a camera or stream as `posenb.video.open_camera` takes it,
        such as ``"/dev/video0"`` or ``"rtsp://..."``, or a video file, of which no frame is
        left out; or arrays of uint8, RGB (H, W, 3) or grey
        (H, W), from a generator, say, or from another program
        (`posenb.live.socket_frames`).
    processor : callable, optional
        Called with the `LivePose` of each frame.
    config : LiveConfig, optional
    output : str or PathLike, optional
        Folder for ``poses.h5``, ``poses.csv``, ``meta.json`` and ``live.csv``, which has
        the times. They are written at the end, also if that is an error. Or a new local
        ``.csv``, in the layout of ``poses.csv``, to which each pose is added as soon as it
        was handed over. Without it nothing is written.
    progress : callable, optional
        Makes the progress bar; it counts poses and shows the latency.
    **options
        Fields of `LiveConfig`, such as ``dynamic_crop=True`` or ``forecast=True``.

    Returns
    -------
    LiveRecording
        Poses and times.

    Raises
    ------
    AnalysisError
        If the run is not finished, or the processor fails and ``on_error="raise"``.
    ConfigError, InvalidInputError
        If an option is unknown, or what comes is no frame.
    VideoError
        If the camera cannot be opened or breaks off.
    StorageError
        If the output cannot be written, or is a ``.csv`` that is there already.

    Notes
    -----
    A thread of its own takes frames from the source and keeps only the newest, so that
    a slow model or processor leaves frames out, which are counted, and never falls
    behind; with ``drop=False`` the source waits instead. "Captured" is when posenb got
    the frame: delays of camera, cable and driver come before that.

    With ``forecast=True`` each keypoint is followed by an alpha-beta filter and carried
    on at constant velocity over the delay that was measured for this very frame, plus
    `lead`. `posenb.live.Forecaster` tells the formulas.

    Examples
    --------
    >>> def fire(found):  # doctest: +SKIP
    ...     x, y, likelihood = found.pose[0]
    ...     line.write(likelihood > 0.9 and x > 320)
    >>> analyze_live("reach/runs/first", "/dev/video0", fire)  # doctest: +SKIP
    """
    chosen = LiveConfig(**options) if config is None else config.replace(**options)
    model = find_model(run, runtime=chosen.runtime, precision=chosen.precision)
    recorder = Recorder(model)
    with open_feed(source) as feed:
        predictor = LivePredictor(model, feed.format, chosen)
        try:
            # Whoever interrupts has seen enough; the poses are what it was for.
            with (
                _table(output, model) as keep,
                suppress(KeyboardInterrupt),
                progress(chosen.frames, "Live", "pose") as bar,
            ):
                for found in _poses(feed, predictor, chosen):
                    recorder.add(found, _process(processor, found, recorder, chosen))
                    keep(found)
                    _report(bar, found, len(recorder))
        finally:
            recording = recorder.finish()
            if output is not None and not _grows(output):
                recording = save_recording(output, recording, model, chosen, feed.name)
    if recorder.errors:
        _LOG.warning("The processor failed %d times; the first is above.", recorder.errors)
    return recording


def _grows(output: storage.Url) -> bool:
    return storage.resolve(output).endswith(".csv")


def _table(
    output: storage.Url | None, model: Model
) -> AbstractContextManager[Callable[[LivePose], None]]:
    if output is None or not _grows(output):
        return nullcontext(lambda _: None)
    return growing_table(output, PoseLines(model.description))


def _poses(feed: Feed, predictor: LivePredictor, config: LiveConfig) -> Iterator[LivePose]:
    drop = config.drop and not feed.waits
    arrivals = newest(feed.frames) if drop else in_turn(feed.frames)
    end = float("inf") if config.seconds is None else time.perf_counter() + config.seconds
    with closing(arrivals):
        for count, arrival in enumerate(arrivals, 1):
            yield predictor(*arrival)
            if count == config.frames or time.perf_counter() >= end:
                return


def _process(
    processor: Processor | None, found: LivePose, recorder: Recorder, config: LiveConfig
) -> float:
    """Hand a pose over and return when that was done; the loop outlives a stranger's errors."""
    if processor is not None:
        try:
            processor(found)
        except Exception as error:
            recorder.errors += 1
            if config.on_error == "raise":
                raise AnalysisError(
                    f"A processor must take every pose; this one failed at frame {found.frame} "
                    f"({type(error).__name__}: {error}). Mend it, or go on regardless: "
                    "on_error='report'."
                ) from error
            if recorder.errors == 1:
                _LOG.exception("The processor failed at frame %d; going on.", found.frame)
    return time.perf_counter()


def _report(bar: ProgressBar, found: LivePose, count: int) -> None:
    if count % _PER_REPORT == 1:
        bar.advance(latency=f"{1000 * found.latency:.0f} ms")
    else:
        bar.advance()
