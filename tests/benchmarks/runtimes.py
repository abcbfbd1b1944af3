"""Frames per second of every runtime and precision, the model alone, and what each costs.

    python tests/benchmarks/runtimes.py RUN
    python tests/benchmarks/runtimes.py --backbone resnet_50 --scale 0.5 --json runtimes.json

With a trained RUN of the open field project, its poses on the test frames are compared
with the labels and with those of Keras; int8 is quantised if it was not yet. Without one,
a network with random weights shows the speed alone. Runtimes take turns, batch by batch,
so that whatever else the machine does meets all of them; the table has the median over
the rounds in frames per second of wall time, and the least processor time per frame, which
depends less on other work. Sizes are those of the frames, not of the network's input.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

RUNTIMES = (
    ("keras", "float32"),
    ("onnxruntime", "float32"),
    ("onnxruntime", "int8"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
    ("openvino", "int8"),
)
COLUMNS = {
    "fps": "frames/s",
    "cpu_ms": "CPU ms/frame",
    "ready": "load + compile s",
    "mb": "file MB",
    "test": "test error px",
    "mean_shift": "mean shift px",
    "p95_shift": "95 % shift px",
    "most_shift": "most px",
}


def say(text: str) -> None:
    """Write a line at once, so that a long benchmark can be followed."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", help="folder of a trained run")
    parser.add_argument("--backbone", default="mobilenet_v2", help="without a run: its backbone")
    parser.add_argument("--scale", type=float, default=1.0, help="without a run: its scale")
    parser.add_argument("--kind", default="yuv444", help="layout of the raw frames")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("W", "H"))
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runtimes", nargs="+", help="only these, such as openvino:int8")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


def random_run(folder: str, given: argparse.Namespace) -> str:
    """Make a project with a finished run whose weights are random."""
    import posenb as pn
    from posenb import storage
    from posenb.core import ModelConfig, ModelDescription, TrainConfig
    from posenb.graphs import quantise_network
    from posenb.inference.quantising import value_ranges
    from posenb.labels import write_split
    from posenb.models import build_network, build_predictor, export_network, save_predictor
    from posenb.project import Run

    keypoints = ("snout", "leftear", "rightear", "tailbase")
    config = TrainConfig(model=ModelConfig(backbone=given.backbone, weights=None))
    project = pn.create_project(storage.join(folder, "project"), keypoints=keypoints)
    run = Run(storage.join(project.runs_url, given.backbone))
    predictor = build_predictor(build_network(config.model, 4), config.model, given.scale)
    description = ModelDescription(
        name=run.name, keypoints=keypoints, scale=given.scale, config=config
    )
    storage.write_text(run.config_url, config.model_dump_json())
    write_split(run.split_url, pn.Split(()))
    network = export_network(predictor, description)
    images = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), np.uint8)
    whole = quantise_network(network, value_ranges(network, images))
    storage.write_bytes(run.network_url, network.encode())
    storage.write_bytes(run.quantised_url, whole.encode())
    with storage.writing(run.model_url) as path:
        save_predictor(path, predictor, description)
    return run.url


def noise(given: argparse.Namespace) -> tuple[Any, np.ndarray]:
    """Return the format and one batch of raw frames."""
    from posenb.core import FrameFormat

    layout = FrameFormat(given.kind, given.size[1], given.size[0])
    random = np.random.default_rng(0)
    return layout, random.integers(16, 235, (given.batch_size, layout.nbytes), np.uint8)


def start(run: str, runtime: str, precision: str, given: argparse.Namespace) -> dict[str, Any]:
    """Load and compile; return what can run and how long that took."""
    from posenb.inference.model import find_model

    layout, raw = noise(given)
    begin = time.perf_counter()
    model = find_model(run, runtime=runtime, precision=precision)
    predict = model.predict(layout, given.batch_size)
    predict(raw)
    ready = time.perf_counter() - begin
    assert model.run is not None
    files = {"keras": model.run.model_url, "int8": model.run.quantised_url}
    file = files.get(runtime) or files.get(precision) or model.run.network_url
    return {
        "model": model,
        "predict": predict,
        "ready": ready,
        "mb": Path(file).stat().st_size / 1e6,
        "walls": [],
        "processors": [],
    }


def take_turns(started: dict[str, dict[str, Any]], given: argparse.Namespace) -> None:
    """Run each by turns and note its times."""
    _, raw = noise(given)
    for _ in range(given.rounds):
        for each in started.values():
            begin, spent = time.perf_counter(), time.process_time()
            each["predict"](raw)
            each["processors"].append(time.process_time() - spent)
            each["walls"].append(time.perf_counter() - begin)


def exactness(run_url: str, started: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Compare poses on the test frames with the labels, and with the first runtime's."""
    from posenb.core import FrameFormat
    from posenb.project import open_project, open_run, read_image

    run = open_run(run_url)
    project = open_project(run.project_url)
    labels, names = project.labels(), run.split().test
    rows = [labels.frames.index(name) for name in names]
    true = labels.positions[rows, 0]
    images = np.stack([read_image(project, name) for name in names])
    raw = images.reshape(len(images), -1)
    found: dict[str, dict[str, float]] = {}
    first = None
    for name, each in started.items():
        predict = each["model"].predict(FrameFormat("rgb", *images.shape[1:3]), 8)
        poses = np.concatenate([predict(raw[i : i + 8]) for i in range(0, len(raw), 8)])[..., :2]
        first = poses if first is None else first
        shift = np.linalg.norm(poses - first, axis=-1)
        found[name] = {
            "test": float(np.nanmean(np.linalg.norm(poses - true, axis=-1))),
            "mean_shift": float(shift.mean()),
            "p95_shift": float(np.percentile(shift, 95)),
            "most_shift": float(shift.max()),
        }
    return found


def show(rows: dict[str, dict[str, float]]) -> None:
    """Print the table."""
    say(f"{'':>22}" + "".join(f"{title:>18}" for title in COLUMNS.values()))
    for name, row in rows.items():
        cells = (f"{row[key]:>18.3g}" if key in row else f"{'':>18}" for key in COLUMNS)
        say(f"{name:>22}" + "".join(cells))


def main() -> None:
    """Measure, print, and write the figures."""
    given = parse()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from posenb import quantise, storage
    from posenb._progress import silent_progress
    from posenb.errors import PosenbError
    from posenb.project import open_run

    with tempfile.TemporaryDirectory(prefix="runtimes-") as folder:
        url = given.run or random_run(folder, given)
        run = open_run(url)
        if given.run and not storage.exists(run.quantised_url):
            quantise(run, progress=silent_progress)
        started: dict[str, dict[str, Any]] = {}
        for runtime, precision in RUNTIMES:
            name = f"{runtime}:{precision}"
            if given.runtimes is None or name in given.runtimes:
                try:
                    started[name] = start(url, runtime, precision, given)
                except PosenbError as error:
                    say(f"{name} is left out: {error}")
        take_turns(started, given)
        exact = exactness(url, started) if given.run else {}
    rows = {
        name: {
            "fps": given.batch_size / statistics.median(each["walls"]),
            "cpu_ms": 1000 * min(each["processors"]) / given.batch_size,
            "ready": each["ready"],
            "mb": each["mb"],
            **exact.get(name, {}),
        }
        for name, each in started.items()
    }
    show(rows)
    if given.json:
        machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
        facts = {"machine": machine, "options": vars(given), "rows": rows}
        given.json.write_text(json.dumps(facts, indent=1, default=str))


if __name__ == "__main__":
    main()
