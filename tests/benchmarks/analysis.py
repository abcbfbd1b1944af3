"""Measure analysis: frames/s of decoding, of the model and of both together, and memory.

    python tests/benchmarks/analysis.py MODEL VIDEO --batch-size 16

The share at the end is what analysis reaches of the slower of its two halves.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from typing import Any, Self

import numpy as np

from posenb.inference import analyze
from posenb.inference.model import find_model
from posenb.video import open_video


class Clock:
    """A progress bar that only notes when how many frames were done."""

    def __init__(self) -> None:
        self.moments: list[tuple[float, int]] = []

    def __call__(self, total: int | None, description: str, unit: str = "it") -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def advance(self, count: int = 1, **figures: str) -> None:
        self.moments.append((time.perf_counter(), count))

    def rate(self) -> float:
        """Frames per second after the first batch, which the model is compiled in."""
        frames = sum(count for _, count in self.moments[1:])
        return frames / (self.moments[-1][0] - self.moments[0][0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure analysis.")
    parser.add_argument("model", help=".keras file or folder of a run")
    parser.add_argument("video")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--chunk-size", type=int, default=500)
    parser.add_argument("--stop", type=int, default=None, help="use so many frames only")
    parser.add_argument("--seconds", type=float, default=10, help="how long to run the model alone")
    arguments = parser.parse_args()
    decoding = _decode(arguments)
    after_decoding = _peak()
    model = _model(arguments)
    after_model = _peak()
    together, whole = _together(arguments)
    rows: list[tuple[str, Any]] = [
        ("decoding alone, frames/s", f"{decoding:.1f}"),
        ("model alone, frames/s", f"{model:.1f}"),
        ("analysis after the first batch, frames/s", f"{together:.1f}"),
        ("share of the slower half", f"{together / min(decoding, model):.1%}"),
        ("analysis from start to files, s", f"{whole:.1f}"),
        ("peak memory after decoding, MiB", f"{after_decoding:.0f}"),
        ("peak memory after the model, MiB", f"{after_model:.0f}"),
        ("peak memory after analysis, MiB", f"{_peak():.0f}"),
    ]
    for name, value in rows:
        sys.stdout.write(f"{name:<42} {value:>10}\n")


def _decode(arguments: argparse.Namespace) -> float:
    with open_video(arguments.video) as video:
        begin = time.perf_counter()
        count = sum(
            len(indices) for indices, _ in video.batches(arguments.batch_size, 0, arguments.stop)
        )
        return count / (time.perf_counter() - begin)


def _model(arguments: argparse.Namespace) -> float:
    with open_video(arguments.video) as video:
        frames = np.stack([video[0]] * arguments.batch_size)
        predict = find_model(arguments.model).predict(
            video.height, video.width, arguments.batch_size
        )
    predict(frames)
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < arguments.seconds:
        predict(frames)
        count += len(frames)
    return count / (time.perf_counter() - begin)


def _together(arguments: argparse.Namespace) -> tuple[float, float]:
    clock = Clock()
    with tempfile.TemporaryDirectory() as output:
        begin = time.perf_counter()
        analyze(
            arguments.model,
            arguments.video,
            output=output,
            progress=clock,
            batch_size=arguments.batch_size,
            chunk_size=arguments.chunk_size,
            stop=arguments.stop,
        )
        return clock.rate(), time.perf_counter() - begin


def _peak() -> float:
    """Return the most memory this process has held, MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main()
