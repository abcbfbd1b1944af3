"""One frame after the other through a model that is warm."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from posenb.core import FrameFormat
from posenb.inference.model import Model
from posenb.inference.runtimes import Predict
from posenb.live.config import LiveConfig
from posenb.live.forecast import Forecaster
from posenb.live.windows import Window, cut_out, place_window, window_format, window_sides

__all__ = ["LivePose", "LivePredictor"]


@dataclass(frozen=True, slots=True, eq=False)
class LivePose:
    """The pose in one frame, and when it was to be had.

    Parameters
    ----------
    frame : int
        Number of the frame among all that came, those left out counted.
    captured, started, ready : float
        When the frame was there, when work on it began and when it was done, in seconds
        of `time.perf_counter`.
    pose : ndarray of float32, shape (K, 3)
        x, y in pixels of the whole frame (integers are pixel centres) and likelihood.
    forecast : ndarray or None, shape (K, 2)
        x, y expected at `ready` plus the lead; NaN for keypoints that are not likely.
        None unless asked for.
    window : (int, int, int, int)
        x1, x2, y1, y2, the ends excluded: the part of the frame that was looked at.
    """

    frame: int
    captured: float
    started: float
    ready: float
    pose: np.ndarray
    forecast: np.ndarray | None
    window: Window

    @property
    def latency(self) -> float:
        """Seconds from the frame to its pose."""
        return self.ready - self.captured


class LivePredictor:
    """Finds the pose in each frame as it comes; compiled and warm once it is made.

    Parameters
    ----------
    model : Model
        From `posenb.inference.model.find_model`.
    frames : FrameFormat
        What the frames are.
    config : LiveConfig

    Notes
    -----
    With `dynamic_crop` the next frame is looked at in a square around this one's likely
    keypoints. It is looked at whole if a keypoint that was likely in the last whole frame
    is not any more, if no square is large enough, and every `look_up` frames, since what
    lies outside the square cannot be found.
    """

    def __init__(self, model: Model, frames: FrameFormat, config: LiveConfig) -> None:
        self._frames, self._config = frames, config
        self._whole = (0, frames.width, 0, frames.height)
        self._window, self._seen, self._since_whole = self._whole, 0, 0
        self._sides: tuple[int, ...] = ()
        if config.dynamic_crop:
            self._sides = window_sides(frames, config.crop_sizes)
        formats = {side: window_format(frames, side) for side in self._sides}
        self._in_square = {side: _warm(model, form) for side, form in formats.items()}
        self._in_whole = _warm(model, frames)
        keypoints = len(model.description.keypoints)
        self._forecaster = Forecaster(keypoints, config.smoothing) if config.forecast else None

    def __call__(self, frame: int, captured: float, raw: np.ndarray) -> LivePose:
        """Find the pose in the next frame.

        Parameters
        ----------
        frame : int
            Its number.
        captured : float
            When it came, seconds of `time.perf_counter`.
        raw : ndarray of uint8, shape (nbytes,)
            As the format says.
        """
        started, window = time.perf_counter(), self._window
        if window == self._whole:
            pose = self._in_whole(raw[None])[0]
        else:
            part = cut_out(raw, self._frames, window)
            pose = self._in_square[window[1] - window[0]](part[None])[0]
            pose[:, :2] += (window[0], window[2])
        sure = pose[:, 2] >= self._config.min_likelihood
        if self._forecaster is not None:
            self._forecaster.update(captured, pose[:, :2], sure)
        if self._sides:
            self._window = self._next_window(pose[sure, :2])
        ready = time.perf_counter()
        forecast = None
        if self._forecaster is not None:
            forecast = self._forecaster.at(ready + self._config.lead)
        return LivePose(frame, captured, started, ready, pose, forecast, window)

    def _next_window(self, likely: np.ndarray) -> Window:
        if self._window == self._whole:
            self._seen, self._since_whole = len(likely), 0
        self._since_whole += 1
        if len(likely) < self._seen or self._since_whole > self._config.look_up:
            return self._whole
        placed = place_window(likely, self._config.margin, self._sides, self._frames)
        return placed or self._whole


def _warm(model: Model, frames: FrameFormat) -> Predict:
    """Compile for single frames, and call it: the first calls are slower than the others."""
    predict = model.predict(frames, 1)
    for _ in range(3):
        predict(np.zeros((1, frames.nbytes), np.uint8))
    return predict
