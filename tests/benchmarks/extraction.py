"""How fast frames are chosen, and how much they differ, against frames drawn at random.

Run ``python tests/benchmarks/extraction.py CLIP [--hours 1] [--count 20]``. The long clip is
CLIP repeated without encoding it again. Takes a few minutes.

Two pictures differ by the root mean square over pixels, in grey levels of 255. "nearest" is
the mean distance of a chosen frame from the nearest other one, "closest pair" the smallest:
both in the 32-pixel pictures that k-means groups, and in 64-pixel pictures, which it never
sees. Random choice is the mean of 20 draws. On the long clip every frame comes many times
over, so that a duplicate is easily drawn there.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from posenb._progress import silent_progress
from posenb.extraction import ExtractConfig, choose_frames, extract_frames, look_at_video
from posenb.extraction.looking import find_candidates
from posenb.project import add_videos, create_project
from posenb.video import VideoReader, open_video

_DRAWS = 20


def repeat(source: Path, target: Path, times: int) -> None:
    """Write `source` `times` over by copying its packets."""
    with av.open(str(target), "w") as goal:
        copied, shift = None, 0
        for _ in range(times):
            with av.open(str(source)) as origin:
                stream = origin.streams.video[0]
                copied = copied or goal.add_stream_from_template(stream)
                for packet in origin.demux(stream):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = copied
                    goal.mux(packet)
                shift += stream.duration


def nearest(pictures: np.ndarray) -> np.ndarray:
    """Return the distance of each picture from the nearest other one."""
    rows = pictures.reshape(len(pictures), -1).astype(np.float64)
    apart = np.sqrt(np.square(rows[:, None] - rows[None]).mean(axis=2))
    np.fill_diagonal(apart, np.inf)
    return np.asarray(apart.min(axis=1))


def spread(video: VideoReader, frames: np.ndarray, width: int) -> tuple[float, float]:
    found = nearest(look_at_video(video, np.sort(frames), width=width).pictures)
    return float(found.mean()), float(found.min())


def measure(clip: Path, folder: Path, count: int) -> list[str]:
    lines = []
    with open_video(clip) as video:
        total = len(video)
        rng = np.random.default_rng(0)
        draws = [rng.choice(total, count, replace=False) for _ in range(_DRAWS)]
        chosen = {}
        for method in ("kmeans", "uniform"):
            home = folder / f"{clip.stem}-{method}"
            project = add_videos(
                create_project(home, keypoints=["snout"]), clip, progress=silent_progress
            )
            start, cpu = time.perf_counter(), time.process_time()
            names = extract_frames(project, count, method, progress=silent_progress)
            wall, cpu = time.perf_counter() - start, time.process_time() - cpu
            chosen[method] = np.array([int(each.image[3:-4]) for each in names])
            looked = len(find_candidates(video.info, ExtractConfig(count=count, method=method)))
            lines.append(
                f"{clip.name:16}{total:8}  {method:9}{looked:6}{wall:8.1f}{cpu:8.1f}"
                f"{total / video.fps / wall:9.0f}" + _figures(video, [chosen[method]])
            )
        lines.append(f"{clip.name:16}{total:8}  {'random':40}" + _figures(video, draws))
    return lines


def _figures(video: VideoReader, choices: list[np.ndarray]) -> str:
    text = ""
    for width in (32, 64):
        figures = [spread(video, frames, width) for frames in choices]
        text += f"{np.mean([f[0] for f in figures]):10.2f}{np.mean([f[1] for f in figures]):8.2f}"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=20)
    options = parser.parse_args()
    choose_frames(look_at_video(open_video(options.clip), range(50)), 2)  # loads scikit-learn
    with TemporaryDirectory() as name:
        folder = Path(name)
        with open_video(options.clip) as video:
            times = round(options.hours * 3600 / video.duration)
        long = folder / f"{options.hours:g}-hours{options.clip.suffix}"
        repeat(options.clip, long, times)
        start = time.perf_counter()
        open_video(long).close()
        opening = time.perf_counter() - start
        head = f"{'clip':16}{'frames':>8}  {'method':9}{'looks':>6}{'wall s':>8}{'CPU s':>8}"
        head += f"{'x speed':>9}{'nearest':>10}{'closest':>8}{'at 64 px':>10}{'closest':>8}"
        lines = [head]
        for clip in (options.clip, long):
            lines += measure(clip, folder, options.count)
    lines.append(f"indexing the long clip, once: {opening:.1f} s")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
