"""Measure labelled videos against what decoding and encoding allow.

    python tests/benchmarks/labelled_video.py ../shared/data/openfield/videos/m3v1mp4.mp4

For each kind of labelled video, decoding alone, encoding its pictures alone, both at once
(decoding here, encoding the finished pictures there) and the whole take turns on the same
frames, so that other work on the machine slows all of them alike. The share is what the
whole reaches of both at once; the second one compares processor time, which other work
disturbs less. Poses are made: animals of as many keypoints as wanted that walk in circles.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from posenb._progress import silent_progress
from posenb.core import Poses, Skeleton
from posenb.inference.ahead import ahead
from posenb.overlays import LabelledVideoConfig, labelled_video
from posenb.overlays.making import make_scene
from posenb.video import VideoInfo, VideoReader, VideoWriter, open_video

CASES: dict[str, dict[str, object]] = {
    "default": {},
    "names": {"names": "keypoints"},
    "traces": {"traces": True},
    "half size": {"scale": 0.5},
}


def walking(info: VideoInfo, frames: int, individuals: int, keypoints: int) -> Poses:
    """Animals that walk in circles, a fifth of the picture long."""
    rng = np.random.default_rng(0)
    side = min(info.width, info.height)
    turn = np.arange(frames)[:, None] / info.fps + 2 * np.pi * rng.uniform(size=individuals)
    middle = 0.5 * np.array([info.width, info.height])
    walk = middle + 0.3 * side * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    body = rng.uniform(-0.1, 0.1, (individuals, keypoints, 2)) * side
    noise = rng.normal(0, 0.5, (frames, individuals, keypoints, 2))
    names = tuple(f"part{k}" for k in range(keypoints))
    edges = tuple((k, k + 1) for k in range(keypoints - 1))
    return Poses(
        walk[:, :, None] + body + noise,
        rng.uniform(0.6, 1, (frames, individuals, keypoints)),
        Skeleton(names, edges),
        individuals=tuple(f"animal{i}" for i in range(individuals)),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure labelled videos.")
    parser.add_argument("video")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--individuals", type=int, default=1)
    parser.add_argument("--keypoints", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.mp4"
        rows = {name: _measure(arguments, case, target) for name, case in CASES.items()}
    if arguments.json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    sys.stdout.write("frames/s   decode  encode    both   whole  share  of CPU time  drawing\n")
    for name, row in rows.items():
        rates = "".join(f"{row[job]:8.1f}" for job in ("decode", "encode", "both", "whole"))
        sys.stdout.write(
            f"{name:<9}{rates}  {row['share']:5.0%}  {row['cpu_share']:11.0%}"
            f"  {row['drawing_ms']:4.2f} ms\n"
        )


def _measure(
    arguments: argparse.Namespace, options: dict[str, object], target: Path
) -> dict[str, float]:
    with open_video(arguments.video) as video:
        count = min(arguments.frames, len(video))
        poses = walking(video.info, count, arguments.individuals, arguments.keypoints)
        fps = video.fps
        painted, drawing = _painted(video, poses, count, options)

        def decode() -> None:
            for _ in video.read(0, count):
                pass

        def encode() -> None:
            with VideoWriter(target, fps=fps, crf=20) as writer:
                for picture in painted:
                    writer.write(picture)

        def both() -> None:
            with (
                VideoWriter(target, fps=fps, crf=20) as writer,
                closing(ahead(video.read(0, count), 4)) as frames,
            ):
                for (_, _), picture in zip(frames, painted, strict=True):
                    writer.write(picture)

        def whole() -> None:
            labelled_video(
                poses, arguments.video, output=target, progress=silent_progress, **options
            )

        jobs: dict[str, Callable[[], None]] = {}
        jobs |= {"decode": decode, "encode": encode, "both": both, "whole": whole}
        wall: dict[str, list[float]] = {name: [] for name in jobs}
        cpu: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(arguments.rounds):
            for name, job in jobs.items():
                start = time.perf_counter(), time.process_time()
                job()
                wall[name].append(time.perf_counter() - start[0])
                cpu[name].append(time.process_time() - start[1])
    median = {name: statistics.median(each) for name, each in wall.items()}
    return {
        **{name: count / seconds for name, seconds in median.items()},
        "share": median["both"] / median["whole"],
        "cpu_share": statistics.median(cpu["both"]) / statistics.median(cpu["whole"]),
        "drawing_ms": drawing,
    }


def _painted(
    video: VideoReader, poses: Poses, count: int, options: dict[str, object]
) -> tuple[list[np.ndarray], float]:
    """Return the pictures of a labelled video, and milliseconds of one thread for each."""
    scene, _ = make_scene(poses, video.info, LabelledVideoConfig(**options))
    painted = [np.zeros(scene.shape, np.uint8) for _ in range(count)]
    seconds = 0.0
    for index, frame in video.read(0, count):
        start = time.thread_time()
        scene.paint(index, frame, painted[index])
        seconds += time.thread_time() - start
    return painted, 1000 * seconds / count


if __name__ == "__main__":
    main()
