"""Latency of live analysis, frame by frame, and what forecasting saves of the error.

    python tests/benchmarks/latency.py RUN VIDEO
    python tests/benchmarks/latency.py RUN VIDEO --frames 200 --json latency.json

Frames of VIDEO, whole (640 x 480) and halved and cut to 256 x 256, go through the model of
RUN one by one, with and without a crop that follows the animal, and in turn, frame by frame,
through the bare model (`Predict` for one frame). Latency is wall time from the frame to its
pose in milliseconds; the ratio to the bare model, the median over frames, depends less on
whatever else the machine does.

The forecast is tried on the trajectory that was found: for several delays, the mean
distance in pixels between where a keypoint is after the delay and where it was said to be,
without a forecast (where it was) and with it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

DELAYS = (1, 2, 3, 5)  # frames


def say(text: str) -> None:
    """Write a line at once, so that a long benchmark can be followed."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="folder of a trained run")
    parser.add_argument("video", help="640 x 480 pixels")
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--track", type=int, default=0, help="frames for the forecast, 0 for all")
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


def measure(model: Any, frames: np.ndarray, crop: bool) -> dict[str, float]:
    """Time frames one by one through live analysis and through the bare model."""
    from posenb.core import FrameFormat
    from posenb.live import LiveConfig, LivePredictor

    height, width = frames.shape[1:3]
    form = FrameFormat("rgb", height, width)
    bare = model.predict(form, 1)
    live = LivePredictor(model, form, LiveConfig(dynamic_crop=crop, forecast=True))
    latencies, alone, whole = [], [], []
    for number, frame in enumerate(frames):
        raw = frame.reshape(-1)
        start = time.perf_counter()
        bare(raw[None])
        alone.append(time.perf_counter() - start)
        found = live(number, time.perf_counter(), raw)
        latencies.append(found.latency)
        whole.append(found.window[1] - found.window[0] == width)
    milliseconds = 1000 * np.array(latencies[5:])
    bare_ms = 1000 * np.array(alone[5:])
    return {
        "p50": float(np.percentile(milliseconds, 50)),
        "p99": float(np.percentile(milliseconds, 99)),
        "least": float(milliseconds.min()),
        "bare_p50": float(np.percentile(bare_ms, 50)),
        "ratio": float(np.median(milliseconds / bare_ms)),
        "whole_frames": float(np.mean(whole)),
    }


def forecast_errors(poses: np.ndarray, fps: float, smoothing: float) -> dict[int, list[float]]:
    """Return the mean error in pixels for each delay, without and with a forecast."""
    from posenb.live import Forecaster

    sure = poses[..., 2] >= 0.6
    found: dict[int, list[float]] = {}
    for delay in DELAYS:
        forecaster = Forecaster(poses.shape[1], smoothing)
        still, ahead = [], []
        for now, then in zip(range(len(poses) - delay), range(delay, len(poses)), strict=True):
            forecaster.update(now / fps, poses[now, :, :2], sure[now])
            both = sure[now] & sure[then]
            truth = poses[then, both, :2]
            still += np.hypot(*(poses[now, both, :2] - truth).T).tolist()
            ahead += np.hypot(*(forecaster.at(then / fps)[both] - truth).T).tolist()
        found[delay] = [float(np.mean(still)), float(np.mean(ahead))]
    return found


def main() -> None:
    """Measure and write the tables."""
    from posenb.inference.model import find_model
    from posenb.video import open_video

    given = parse()
    model = find_model(given.run, runtime=given.runtime, precision=given.precision)
    with open_video(given.video) as video:
        fps = video.fps
        frames = np.stack([frame for _, frame in islice(video.read(), given.frames)])
        predict = model.predict(video.format, 8)
        stop = given.track or None
        track = np.concatenate([predict(raw) for _, raw in video.raw_batches(8, 0, stop)])
    small = np.ascontiguousarray(frames[:, ::2, ::2])
    small = np.pad(small, ((0, 0), (0, max(0, 256 - small.shape[1])), (0, 0), (0, 0)))
    pictures = {"640 x 480": frames, "256 x 256": small[:, :256, :256]}
    machine = f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}"
    figures: dict[str, Any] = {"model": str(model.choice), "machine": machine, "latency": {}}
    say(f"{model.choice}, {machine}, load {os.getloadavg()[0]:.1f}\n")
    say("| frames | crop | p50 ms | p99 ms | least | model alone p50 | ratio | looked at whole |")
    say("|---|---|---|---|---|---|---|---|")
    for name, each in pictures.items():
        for crop in (False, True):
            row = measure(model, each, crop)
            figures["latency"][f"{name}{' crop' if crop else ''}"] = row
            say(
                f"| {name} | {'follows' if crop else 'none'} | {row['p50']:.1f} | {row['p99']:.1f} "
                f"| {row['least']:.1f} | {row['bare_p50']:.1f} | {row['ratio']:.2f} "
                f"| {100 * row['whole_frames']:.0f} % |"
            )
    say(f"\n{len(track)} frames at {fps:g} a second; error in px without and with a forecast\n")
    say("| smoothing | " + " | ".join(f"{1000 * d / fps:.0f} ms" for d in DELAYS) + " |")
    say("|---|" + "---|" * len(DELAYS))
    figures["forecast"] = {}
    for smoothing in (0.3, 0.5, 0.7, 0.9, 1.0):
        errors = forecast_errors(track, fps, smoothing)
        figures["forecast"][smoothing] = errors
        cells = " | ".join(f"{still:.2f}, {ahead:.2f}" for still, ahead in errors.values())
        say(f"| {smoothing} | {cells} |")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
