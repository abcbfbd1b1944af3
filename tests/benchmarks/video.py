"""How fast frames come: decoding alone, as RGB, in order and at random.

Run ``python tests/benchmarks/video.py CLIP...``; takes a few seconds for each clip.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av

from posenb.video import open_video

ROWS = ("open", "decode only", "PyAV in order", "posenb in order", "PyAV seek", "posenb at random")


def rate(frames: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return frames / (time.perf_counter() - start)


def plain(path: str, count: int, *, rgb: bool) -> None:
    with av.open(path) as container:
        container.streams.video[0].thread_type = "AUTO"
        for number, frame in enumerate(container.decode(video=0)):
            if rgb:
                frame.to_ndarray(format="rgb24")
            if number == count - 1:
                return


def plain_seek(path: str, times: list[float]) -> None:
    """What one writes by hand: seek to the keyframe before, decode up to the time."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        for seconds in times:
            goal = round(seconds / stream.time_base)
            container.seek(goal, stream=stream)
            for frame in container.decode(stream):
                if frame.pts >= goal:
                    frame.to_ndarray(format="rgb24")
                    break


def measure(path: str, count: int, jumps: int) -> dict[str, float]:
    figures = {"open": rate(1, lambda: open_video(path).close())}
    with open_video(path) as video:
        count = min(count, len(video))
        order = random.Random(0).sample(range(len(video)), min(jumps, len(video)))
        times = [float(video.times[i]) for i in order]
        figures["decode only"] = rate(count, lambda: plain(path, count, rgb=False))
        figures["PyAV in order"] = rate(count, lambda: plain(path, count, rgb=True))
        figures["posenb in order"] = rate(count, lambda: list(map(len, video.read(0, count))))
        figures["PyAV seek"] = rate(len(order), lambda: plain_seek(path, times))
        figures["posenb at random"] = rate(len(order), lambda: [video[i] for i in order])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="+")
    parser.add_argument("--count", type=int, default=600, help="frames in order")
    parser.add_argument("--jumps", type=int, default=40, help="frames at random")
    options = parser.parse_args()
    lines = [f"{'frames/s':24}" + "".join(f"{row:>18}" for row in ROWS)]
    for clip in options.clips:
        figures = measure(clip, options.count, options.jumps)
        lines.append(f"{Path(clip).name:24}" + "".join(f"{figures[row]:18.1f}" for row in ROWS))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
