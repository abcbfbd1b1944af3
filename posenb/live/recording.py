"""What is kept of live analysis: the poses, and the times by which it can be judged."""

from __future__ import annotations

import hashlib
import io
from array import array
from dataclasses import dataclass, replace

import numpy as np

from posenb import storage
from posenb.core import Poses
from posenb.inference.model import Model
from posenb.inference.record import write_analysis
from posenb.live.config import LiveConfig
from posenb.live.predictor import LivePose

__all__ = ["LiveRecording", "Recorder", "save_recording"]

_COLUMNS = ("frame", "captured", "started", "ready", "processed", "x1", "x2", "y1", "y2")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LiveRecording:
    """Poses that were found live, with their times.

    Parameters
    ----------
    poses : Poses
        Those of the frames that were not left out; `poses.frames` are their numbers.
        Times that `Poses` tells come from the mean rate at which frames came.
    captured, started, ready, processed : ndarray, shape (T,)
        When each frame was there, when work on it began, when its pose was to be had,
        and when the processor was through with it, in seconds from the first frame.
    windows : ndarray of int, shape (T, 4)
        x1, x2, y1, y2, the ends excluded: what was looked at.
    forecasts : ndarray or None, shape (T, K, 2)
        Forecast x, y in pixels, if there were any.
    dropped : int
        Frames left out because a newer one had come.
    errors : int
        Calls of the processor that failed.
    """

    poses: Poses
    captured: np.ndarray
    started: np.ndarray
    ready: np.ndarray
    processed: np.ndarray
    windows: np.ndarray
    forecasts: np.ndarray | None
    dropped: int
    errors: int

    @property
    def latencies(self) -> np.ndarray:
        """Seconds from each frame to its pose, shape (T,)."""
        latencies: np.ndarray = self.ready - self.captured
        return latencies

    def __len__(self) -> int:
        """Return the number of poses."""
        return len(self.poses)

    def __repr__(self) -> str:
        """Tell on one line how many poses there are and how soon they were there."""
        if not len(self):
            return "no poses"
        half, most = np.percentile(1000 * self.latencies, (50, 99))
        elapsed = self.processed[-1]
        errors = f", {self.errors} errors of the processor" if self.errors else ""
        return (
            f"{len(self)} poses in {elapsed:.1f} s ({len(self) / elapsed:.1f} a second), "
            f"{self.dropped} frames left out{errors}; from frame to pose {half:.1f} ms (p50), "
            f"{most:.1f} ms (p99)"
        )


class Recorder:
    """Gathers poses with their times, a few hundred bytes each.

    Parameters
    ----------
    model : Model
        Whose poses they are.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._rows = array("d")
        self._width = 0
        self.errors = 0

    def add(self, found: LivePose, processed: float) -> None:
        """Keep a pose; `processed` is when the processor was through with it."""
        times = (found.captured, found.started, found.ready, processed)
        row = [found.frame, *times, *found.window, *found.pose.ravel().tolist()]
        if found.forecast is not None:
            row += found.forecast.ravel().tolist()
        self._rows.extend(row)
        self._width = len(row)

    def __len__(self) -> int:
        """Return the number of poses so far."""
        return len(self._rows) // self._width if self._width else 0

    def finish(self) -> LiveRecording:
        """Return what was gathered."""
        description = self._model.description
        count = len(description.keypoints)
        heads = len(_COLUMNS)
        rows = np.array(self._rows).reshape(len(self), self._width or heads + 3 * count)
        frames = rows[:, 0].astype(np.int64)
        times = rows[:, 1:5] - (rows[0, 1] if len(rows) else 0.0)
        pose = rows[:, heads : heads + 3 * count].reshape(-1, 1, count, 3)
        forecasts = rows[:, heads + 3 * count :].reshape(-1, count, 2)
        poses = Poses(
            pose[..., :2],
            pose[..., 2],
            description.skeleton,
            frames,
            description.individuals,
            fps=_rate(frames, times[:, 0]),
            scorer=f"posenb_{description.name}",
        )
        return LiveRecording(
            poses,
            times[:, 0].copy(),
            times[:, 1].copy(),
            times[:, 2].copy(),
            times[:, 3].copy(),
            windows=rows[:, 5:heads].astype(np.int64),
            forecasts=forecasts if forecasts.size else None,
            dropped=int(frames[-1]) + 1 - len(frames) if len(frames) else 0,
            errors=self.errors,
        )


def _rate(frames: np.ndarray, captured: np.ndarray) -> float:
    elapsed = captured[-1] - captured[0] if len(captured) > 1 else 0.0
    return float((frames[-1] - frames[0]) / elapsed) if elapsed > 0 else float("nan")


def save_recording(
    folder: storage.Url, recording: LiveRecording, model: Model, config: LiveConfig, source: str
) -> LiveRecording:
    """Write a recording as an analysis, with ``live.csv``, the times, beside the poses.

    Parameters
    ----------
    folder : str or PathLike
    recording : LiveRecording
    model : Model
        That made it.
    config : LiveConfig
        How.
    source : str
        What the frames came from.

    Returns
    -------
    LiveRecording
        Its poses know their file and how they came about.
    """
    whole = storage.resolve(folder)
    text = _table(recording)
    storage.write_text(storage.join(whole, "live.csv"), text)
    poses = recording.poses
    story = {
        "key": f"live {hashlib.sha256(text.encode()).hexdigest()}",
        "scorer": poses.scorer,
        "frames": {"poses": len(poses), "dropped": recording.dropped},
        "processor_errors": recording.errors,
        "config": config.model_dump(mode="json"),
        "video": {"url": None, "live": source, "fps": poses.fps if poses.fps > 0 else None},
        "model": model.story,
        "software": [dict(model.software)],
    }
    return replace(recording, poses=write_analysis(whole, poses, story))


def _table(recording: LiveRecording) -> str:
    import pandas as pd

    assert recording.poses.frames is not None
    times = (recording.captured, recording.started, recording.ready, recording.processed)
    columns = (recording.poses.frames, *times, *recording.windows.T)
    table = dict(zip(_COLUMNS, columns, strict=True))
    if recording.forecasts is not None:
        for number, name in enumerate(recording.poses.skeleton.keypoints):
            for axis, letter in enumerate("xy"):
                table[f"{name}_{letter}"] = recording.forecasts[:, number, axis]
    buffer = io.StringIO()
    pd.DataFrame(table).to_csv(buffer, index=False, float_format="%.6f", lineterminator="\n")
    return buffer.getvalue()
