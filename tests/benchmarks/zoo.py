"""How exact every bundled model is on frames that it never learned from, at three sizes.

    python tests/benchmarks/zoo.py                    # a table of all models
    python tests/benchmarks/zoo.py --write            # and on their cards
    python tests/benchmarks/zoo.py --models fly_above --sizes 1 0.5

Each model is asked as `pn.zoo.analyze` asks it: the size of the animal is found first, on eight
of the frames, and the frames are then analyzed at that size, with the files of the zoo and the
runtime of the machine. The held-out frames are those of the recipes (model_zoo/recipes), which
must have been followed here before; they are enlarged (bicubic) and reduced (box filter) whole.
Errors are pixels of the frame as it is given, so twice as many at twice the size.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import posenb as pn
from posenb._progress import silent_progress
from posenb.evaluation import pixel_errors
from posenb.project import read_image
from posenb.zoo.analyze import measure, predict_at
from posenb.zoo.card import NETWORK
from posenb.zoo.publishing import write_card

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "model_zoo"
LOOKED_AT = 8  # frames, as in pn.zoo.analyze


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[card.name for card in pn.zoo.list()])
    parser.add_argument("--sizes", nargs="+", type=float, default=[0.5, 1.0, 2.0])
    parser.add_argument("--write", action="store_true", help="write the figures on the cards")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


def held_out(name: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Return frames and keypoints, shape (N, K, 2), that neither trained nor chose anything."""
    sys.path.insert(0, str(ZOO / "recipes"))
    common = importlib.import_module("common")
    folder = common.work_folder(name)
    if not (folder / "runs" / name).is_dir():
        sys.exit(f"Follow the recipe first: python model_zoo/recipes/{name}.py")
    project, run = pn.open_project(folder), pn.open_run(folder / "runs" / name)
    labels, test = project.labels(), set(run.split().test)
    rows = [row for row, frame in enumerate(labels.frames) if frame in test]
    return [read_image(project, labels.frames[row]) for row in rows], labels.positions[rows, 0]


def resized(frame: np.ndarray, size: float) -> np.ndarray:
    """Return a frame at another size."""
    if size == 1:
        return frame
    height, width = (round(side * size) for side in frame.shape[:2])
    how = Image.Resampling.BICUBIC if size > 1 else Image.Resampling.BOX
    return np.asarray(Image.fromarray(frame).resize((width, height), how))


def one_size(card: Any, frames: list[np.ndarray], truth: np.ndarray, size: float) -> dict[str, Any]:
    """Return the figures of one model at one size."""
    file, config = pn.zoo.fetch(card.name) / NETWORK, pn.AnalyzeConfig()
    given = np.stack([resized(frame, size) for frame in frames])
    ratio = np.array(given.shape[2:0:-1]) / np.array(frames[0].shape[1::-1])
    places = np.linspace(0, len(given) - 1, min(LOOKED_AT, len(given))).round().astype(int)
    start = time.monotonic()
    found = measure(file, given[places], card, config, silent_progress)
    seconds = time.monotonic() - start
    poses = predict_at(file, given, found.value, config)
    labels = (truth + 0.5) * ratio - 0.5
    errors = pixel_errors(poses[:, None, :, :2], labels[:, None])
    known = errors[~np.isnan(errors)]
    body = None if card.body_length is None else round(known.mean() / (card.body_length * size), 4)
    return {
        "size": size,
        "frames": len(given),
        "mean": round(float(known.mean()), 3),
        "median": round(float(np.median(known)), 3),
        "of_body": body,
        "found": round(found.value, 3),
        "likelihood": round(found.likelihood, 3),
        "seconds": round(seconds, 1),
    }


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, print and, if wanted, write on the cards."""
    given = parse()
    columns = ("size", "found", "frames", "mean", "median", "of_body", "likelihood", "seconds")
    say(f"{'model':<18}" + "".join(f"{name:>12}" for name in columns))
    figures: dict[str, list[dict[str, Any]]] = {}
    for name in given.models:
        card = pn.zoo.show(name)
        frames, truth = held_out(name)
        figures[name] = []
        for size in given.sizes:
            row = one_size(card, frames, truth, size)
            figures[name].append(row)
            say(f"{name:<18}" + "".join(f"{row[column]!s:>12}" for column in columns))
        if given.write:
            kept = ("size", "frames", "mean", "median", "of_body", "found")
            accuracy = [pn.zoo.Accuracy(**{key: row[key] for key in kept}) for row in figures[name]]
            write_card(ZOO, card.replace(accuracy=tuple(accuracy)))
        if given.json:
            given.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
