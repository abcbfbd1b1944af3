"""Tiny projects whose animal is a bright dot, and trainings small enough for a test."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
import pytest
from PIL import Image

from posenb import storage
from posenb.core import FrameName, Labels
from posenb.project import Project, create_project

KEYPOINTS = ("dot",)
HERE = Path(__file__).parent

TINY: dict[str, Any] = {
    "backbone": "mobilenet_v2_035",
    "weights": None,
    "width": 8,
    "window": 64,
    "scale": 1.0,
    "steps": 6,
    "batch_size": 2,
    "validate_every": 2,
    "test_fraction": 0.2,
    "validation_fraction": 0.25,
}
"""Options of a training that takes a few seconds."""


def dot_picture(x: float, y: float, height: int, width: int, seed: int = 0) -> np.ndarray:
    """Dark noise with a round bright dot whose centre is at pixel (x, y)."""
    rows, columns = np.mgrid[:height, :width]
    spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 3.0**2))
    grain = np.random.default_rng(seed).normal(0, 4, (height, width))
    grey = np.clip(40 + 200 * spot + grain, 0, 255)
    return np.repeat(np.round(grey)[..., None], 3, axis=-1).astype(np.uint8)


def dots(count: int, sizes: Sequence[tuple[int, int]], seed: int = 0) -> np.ndarray:
    """Centres of dots well inside images of `sizes` (height, width), shape (count, 2)."""
    rng = np.random.default_rng(seed)
    return np.array([[rng.uniform(8, w - 9), rng.uniform(8, h - 9)] for h, w in sizes])[:count]


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png")
    return buffer.getvalue()


def dot_project(
    url: object,
    count: int = 10,
    *,
    smallest: int = 64,
    largest: int = 96,
    seed: int = 0,
) -> Project:
    """Make a project of labelled dots in images of mixed sizes."""
    rng = np.random.default_rng(seed)
    sizes = [tuple(rng.integers(smallest, largest + 1, 2)) for _ in range(count)]
    places = dots(count, sizes, seed)
    project = create_project(str(url), keypoints=KEYPOINTS)
    frames = tuple(FrameName("clip", f"img{i:03d}.png") for i in range(count))
    for i, (frame, (x, y), (h, w)) in enumerate(zip(frames, places, sizes, strict=True)):
        storage.write_bytes(project.image_url(frame), png(dot_picture(x, y, h, w, i)))
    project.save_labels(Labels(frames, places[:, None, None], project.skeleton))
    return project


def environment(**changes: str) -> dict[str, str]:
    """Environment of a child process that finds these helpers."""
    paths = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": paths, **changes}


def start_python(code: str, **changes: str) -> subprocess.Popen[str]:
    """Start an interpreter of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_python(code: str, **changes: str) -> str:
    """Run `code` in an interpreter of its own and return what it printed."""
    process = start_python(code, **changes)
    printed, complaints = process.communicate()
    assert process.returncode == 0, complaints
    return printed


def small_network(config: Any, keypoints: int, weights: object = None) -> Any:
    """Build a network of a few layers with the outputs of `build_network`."""
    import keras

    image = keras.Input((None, None, 3), name="image")
    halved: dict[str, Any] = {"strides": 2, "padding": "same", "activation": "relu"}
    map_2 = keras.layers.Conv2D(8, 3, name="map_2", **halved)(image)
    map_4 = keras.layers.Conv2D(16, 3, name="map_4", **halved)(map_2)
    map_16 = keras.layers.AveragePooling2D(4, name="map_16")(map_4)

    def head(name: str, channels: int, inputs: Any) -> Any:
        return keras.layers.Conv2D(channels, 1, dtype="float32", name=name)(inputs)

    outputs = {
        "early_logits": head("early_logits", keypoints, map_16),
        "logits": head("logits", keypoints, map_4),
        "offsets": head("offsets", 2 * keypoints, map_4),
    }
    return keras.Model(image, outputs, name="network")


def use_small_network(patch: pytest.MonkeyPatch, train_module: ModuleType) -> None:
    """Let `train` use `small_network`, uncompiled.

    Compiling takes most of the time of a tiny training. Tests without this patch show
    that the compiled step does the same.
    """
    import keras

    compile_model = keras.Model.compile

    def compile_eagerly(self: Any, *args: Any, **options: Any) -> None:
        compile_model(self, *args, **{**options, "run_eagerly": True})

    patch.setattr(train_module, "build_network", small_network)
    patch.setattr(keras.Model, "compile", compile_eagerly)


class Recorder:
    """A progress that remembers what it was told, and may stop everything at a step."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.bars: list[tuple[int | None, str, str]] = []
        self.advances: list[tuple[str, int, dict[str, str]]] = []
        self.initial = 0
        self._stop_at = stop_at

    def __call__(
        self, total: int | None, description: str, unit: str = "it", initial: int = 0
    ) -> Recorder:
        self.bars.append((total, description, unit))
        self.initial = initial
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def description(self) -> str:
        return self.bars[-1][1]

    @property
    def done(self) -> int:
        """Steps of training that are done."""
        return self.initial + sum(n for kind, n, _ in self.advances if kind == "Training")

    def advance(self, count: int = 1, **figures: str) -> None:
        self.advances.append((self.description, count, figures))
        if self.description == "Training" and self.done == self._stop_at:
            raise Killed


class Killed(BaseException):
    """Stands for the end of the process."""
