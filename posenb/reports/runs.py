"""What a run left behind that a report tells."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from posenb import storage
from posenb.core import Poses, TrainConfig
from posenb.inference import Evaluation
from posenb.project import Run, open_run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Picture", "RunStory", "analyzed", "find_run", "read_run"]

_MOST_PICTURES = 6
_POSES = ("poses.h5", "poses.csv")


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame that was predicted badly, drawn.

    Parameters
    ----------
    data : bytes
        WebP.
    name : str
        Which frame it is.
    """

    data: bytes
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class RunStory:
    """A run as its files tell it.

    Parameters
    ----------
    run : Run
    config : TrainConfig
    frames : mapping of str to int
        Labelled frames in each part of its split.
    history : DataFrame
        The learning curve; empty if there is none.
    evaluation : Evaluation or None
    judged : mapping
        ``meta.json`` of the evaluation; empty without one.
    pictures : tuple of Picture
        The worst frames.
    """

    run: Run
    config: TrainConfig
    frames: Mapping[str, int]
    history: pd.DataFrame
    evaluation: Evaluation | None
    judged: Mapping[str, Any]
    pictures: tuple[Picture, ...]


def find_run(poses: Poses) -> Run | None:
    """Return the run that made poses, looked for in the folders above them."""
    model = poses.provenance.get("model")
    name = model.get("run") if isinstance(model, Mapping) else None
    folder = None if poses.url is None else storage.parent(poses.url)
    while isinstance(name, str) and folder is not None:
        run = Run(storage.join(folder, "runs", name))
        if storage.exists(run.config_url):
            return run
        above = storage.parent(folder)
        folder = above if above != folder else None
    return None


def analyzed(run: Run) -> list[str]:
    """Return the folders of the poses that a run found in the videos of its project."""
    videos = storage.list_folders(storage.join(run.project_url, "poses"))
    folders = [storage.join(video, run.name) for video in videos]
    return [
        folder
        for folder in folders
        if any(storage.exists(storage.join(folder, name)) for name in _POSES)
    ]


def read_run(url: storage.Url) -> RunStory:
    """Read what is there of a run; it need not be finished.

    Raises
    ------
    ProjectError
        If the folder holds no run.
    StorageError
        If a file is there and cannot be read.
    """
    import pandas as pd

    run = open_run(url)
    evaluation, judged = _read_evaluation(run)
    return RunStory(
        run,
        run.config(),
        _frames(run),
        _table(run.history_url) if storage.exists(run.history_url) else pd.DataFrame(),
        evaluation,
        judged,
        tuple(_pictures(run)) if evaluation is not None else (),
    )


def _frames(run: Run) -> dict[str, int]:
    if not storage.exists(run.split_url):
        return {}
    split = run.split()
    return {part: len(getattr(split, part)) for part in ("train", "validation", "test")}


def _read_evaluation(run: Run) -> tuple[Evaluation | None, dict[str, Any]]:
    """Return an evaluation and its meta.json, which is written last."""
    folder = run.evaluation_url
    meta = storage.join(folder, "meta.json")
    if not storage.exists(meta):
        return None, {}
    judged: dict[str, Any] = json.loads(storage.read_text(meta))
    summary, errors = (
        _table(storage.join(folder, f"{name}.csv")) for name in ("summary", "errors")
    )
    return Evaluation(folder, summary, errors, float(judged["cutoff"])), judged


def _table(url: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(io.StringIO(storage.read_text(url)), keep_default_na=False, na_values=[""])


def _pictures(run: Run) -> list[Picture]:
    urls = storage.list_files(storage.join(run.evaluation_url, "worst"), "*.png")
    return [Picture(_webp(storage.read_bytes(url)), _name(url)) for url in urls[:_MOST_PICTURES]]


def _name(url: str) -> str:
    """Return the frame that a file like ``01_test_clip_img0001.png`` shows."""
    return PurePosixPath(storage.name(url)).stem.partition("_")[2].replace("_", " ", 1)


def _webp(png: bytes) -> bytes:
    from PIL import Image

    data = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(data, format="webp", quality=82)
    return data.getvalue()
