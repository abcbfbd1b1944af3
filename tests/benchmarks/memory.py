"""Does analysis need more memory for a longer video? Peak memory at 1,000 and 100,000 frames.

    python tests/benchmarks/memory.py VIDEO --frames 1000 100000 --json figures.json

Makes videos of those lengths by repeating the packets of VIDEO, and analyzes each in a
process of its own, with a model that does nothing, so that all that is measured is
posenb's. Each process is asked twice: after the last chunk, and after the final files.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from posenb.core import AnalyzeConfig, FrameFormat, ModelConfig, ModelDescription, TrainConfig
from posenb.inference.model import Model
from posenb.inference.plan import make_plan
from posenb.inference.results import finish
from posenb.inference.runtimes import Choice, Predict
from posenb.inference.target import Target
from posenb.inference.work import do_spans

KEYPOINTS = tuple(f"keypoint_{number}" for number in range(20))


class Nothing(Model):
    """A model that finds all keypoints in the corner."""

    digest = identity = "nothing"
    accelerated = False
    choice = Choice("keras", "float32")
    software = {"posenb": "benchmark"}  # noqa: RUF012
    description = ModelDescription(
        name="nothing",
        keypoints=KEYPOINTS,
        scale=1.0,
        config=TrainConfig(model=ModelConfig(weights=None)),
    )

    def predict(self, frames: FrameFormat, batch_size: int, crop: object = None) -> Predict:
        return FindNothing()


class FindNothing:
    """What such a model makes of a batch."""

    workers = 1

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        return np.zeros((len(raw), len(KEYPOINTS), 3), np.float32)


def repeat(source: str, target: Path, count: int) -> None:
    """Write `count` frames by copying the packets of `source` again and again."""
    with av.open(source) as origin:
        stream = origin.streams.video[0]
        packets = [packet for packet in origin.demux(stream) if packet.size]
        step = 1 / Fraction(stream.average_rate) / stream.time_base
        length = round(step * len(packets))
        with av.open(str(target), "w") as goal:
            copied = goal.add_stream_from_template(stream)
            for number in range(count):
                turn, place = divmod(number, len(packets))
                packet = av.Packet(bytes(packets[place]))
                packet.pts = packets[place].pts + turn * length
                packet.dts = packets[place].dts + turn * length
                packet.time_base, packet.stream = stream.time_base, copied
                packet.is_keyframe = packets[place].is_keyframe
                goal.mux(packet)


def analyze_one(video: str, output: str) -> None:
    """Analyze and tell the peak memory, MiB; called in a process of its own."""
    target = Target(video, video, output)
    plan = make_plan(Nothing("nothing"), target, AnalyzeConfig(batch_size=16))
    begin = time.perf_counter()
    do_spans(plan.job, plan.missing(), plan.model)
    rate = (plan.stop - plan.start) / (time.perf_counter() - begin)
    chunks = peak()
    begin = time.perf_counter()
    finish(plan)
    seconds = time.perf_counter() - begin
    sys.stdout.write(json.dumps([plan.stop, chunks, peak(), rate, seconds]))


def peak() -> float:
    """Return the most memory this process has held, MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video")
    parser.add_argument("--frames", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        analyze_one(given.video, given.child)
        return
    names = ("frames", "peak after chunks, MiB", "after files, MiB", "frames/s", "files, s")
    sys.stdout.write("".join(f"{name:>24}" for name in names) + "\n")
    rows = []
    for count in given.frames:
        with tempfile.TemporaryDirectory(prefix="memory-") as folder:
            clip = Path(folder, "clip.mp4")
            repeat(given.video, clip, count)
            command = (sys.executable, __file__, str(clip), "--child", f"{folder}/poses")
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(dict(zip(names, json.loads(done.stdout.splitlines()[-1]), strict=True)))
        sys.stdout.write("".join(f"{value:>24.0f}" for value in rows[-1].values()) + "\n")
        sys.stdout.flush()
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
