"""A project with analyzed videos and a run that was trained and evaluated, without any training."""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from playwright.sync_api import Page

from posenb import storage
from posenb.core import FrameName, Poses, Skeleton, Split, TrainConfig
from posenb.evaluation import summarise
from posenb.inference import Evaluation
from posenb.inference.evaluation_files import write_evaluation
from posenb.inference.record import write_analysis
from posenb.labels import write_split
from posenb.project import Run
from posenb.video import write_video

WIDTH, HEIGHT, FRAMES, FPS = 96, 64, 40, 20
NAMES = ("snout", "ear <left>", "tail")
SKELETON = Skeleton(NAMES, ((0, 1), (1, 2)))
MODEL = "ab" * 32
VIDEO = "cd" * 32


def write_clip(path: Path) -> Path:
    """A video whose pictures grow brighter by 4 grey levels."""
    frames = (np.full((HEIGHT, WIDTH, 3), 20 + 4 * n, np.uint8) for n in range(FRAMES))
    write_video(path, frames, FPS)
    return path


def made_poses(likelihood: float = 0.9, frames: int = FRAMES) -> Poses:
    """Keypoints that move to the right; the tail is lost for 25 frames, and jumps once."""
    positions = np.zeros((frames, 1, 3, 2))
    positions[..., 0] = 10 + 0.5 * np.arange(frames)[:, None, None] + [0, 10, 20]
    positions[..., 1] = 20 + 5 * np.arange(3)
    likelihoods = np.full((frames, 1, 3), likelihood)
    if frames == FRAMES:
        likelihoods[5:30, 0, 2] = 0.1
        positions[35:, 0, 1, 1] += 12
    return Poses(positions, likelihoods, SKELETON, fps=FPS)


def story(video: str = "videos/clip.mp4", run: str | None = "first") -> dict[str, object]:
    return {
        "key": "k",
        "frames": {"start": 0, "stop": FRAMES, "undecodable": 0},
        "crop": [0, WIDTH, 0, HEIGHT],
        "config": {"batch_size": 16, "runtime": "auto"},
        "video": {
            "url": video,
            "sha256": VIDEO,
            "fps": FPS,
            "frame_count": FRAMES,
            "width": WIDTH,
            "height": HEIGHT,
        },
        "model": {
            "run": run,
            "sha256": MODEL,
            "description": {"keypoints": list(NAMES), "edges": [[0, 1], [1, 2]]},
        },
        "software": [{"posenb": "0.1.0", "numpy": "2.1"}],
    }


def write_run(project: Path, name: str = "first") -> Run:
    run = Run(str(project / "runs" / name))
    storage.write_text(run.config_url, TrainConfig(steps=300).model_dump_json())
    frames = [FrameName("clip", f"img{n}.png") for n in range(6)]
    write_split(run.split_url, Split(tuple(frames[:3]), (frames[3],), tuple(frames[4:])))
    storage.write_bytes(run.model_url, b"weights")
    history = {"step": [100, 200, 300], "seconds": [1, 2, 3], "loss": [3, 2, 1]}
    table = pd.DataFrame({**history, "validation_error": [9.0, 5.0, 6.0]})
    storage.write_text(run.history_url, table.to_csv(index=False))
    return run


def write_judgement(run: Run, parts: tuple[str, ...] = ("train", "validation", "test")) -> None:
    """An evaluation in which errors are 1, 2 and 4 px, those of test frames 1 px more."""
    summaries, errors = [], []
    for n, part in enumerate(parts):
        distances = np.full((2, 1, 3), [1.0, 2.0, 4.0]) + (part == "test")
        summary = summarise(distances, np.ones((2, 1, 3)), NAMES)
        summary.insert(0, "split", part)
        summaries.append(summary)
        errors.append(
            pd.DataFrame(
                {
                    "split": part,
                    "frame": np.repeat([f"clip/img{2 * n}.png", f"clip/img{2 * n + 1}.png"], 3),
                    "individual": "",
                    "keypoint": NAMES * 2,
                    "error": distances.ravel(),
                    "likelihood": 1.0,
                }
            )
        )
    found = Evaluation(run.evaluation_url, pd.concat(summaries), pd.concat(errors), 0.6)
    write_evaluation(found, {"model_sha256": MODEL, "cutoff": 0.6})
    for n in range(2):
        with storage.writing(
            storage.join(run.evaluation_url, "worst", f"0{n + 1}_test_clip_img{n}.png")
        ) as path:
            Figure((2, 1)).savefig(path)


def make_project(folder: Path, videos: tuple[str, ...] = ("clip",)) -> Path:
    """Return the folder of a project whose run `first` has analyzed the videos."""
    write_judgement(write_run(folder))
    for video in videos:
        write_clip(folder / "videos" / f"{video}.mp4")
        where = folder / "poses" / video / "first"
        write_analysis(str(where), made_poses(), story(f"videos/{video}.mp4"))
    return folder


def without_evaluation(folder: Path) -> None:
    storage.remove(Run(str(folder / "runs" / "first")).evaluation_url, recursive=True)


def until(page: Page, truth: str) -> None:
    """Wait until a page says so; the page forbids playwright's own way of waiting, eval."""
    end = time.monotonic() + 30
    while not page.evaluate(truth):
        assert time.monotonic() < end, truth
        page.wait_for_timeout(30)


def facts_of(page: str, name: str) -> dict[str, object]:
    """The block of data `name` of a page."""
    text = page.partition(f'<script type="application/json" id="{name}">')[2]
    return json.loads(text.partition("</script>")[0])
