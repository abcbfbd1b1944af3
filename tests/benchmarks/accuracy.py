"""Train with the defaults on real data and tell how far the predictions are off.

    python tests/benchmarks/accuracy.py --data openfield --seeds 0 1 2
    python tests/benchmarks/accuracy.py --data mirror-mouse --train-frames 30 steps=300 zoom=0.1
    python tests/benchmarks/accuracy.py --seeds 10 --within-training scale=0.75

Each seed draws its own split (half of the frames are tested) and its own training, in a
copy of the data that is deleted afterwards, unless --keep names a folder for it.
Arguments of the form option=value are options of `pn.train`. To choose between options,
--within-training divides the frames that are not tested once more and reports on a third
of them; the frames that a run without it tests are not looked at. The table has one row a
seed, in pixels of the source; the last row is mean ± standard deviation over the seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
PARTS = ("train", "validation", "test")
MEASURES = ("mean", "median", "rmse")
COLUMNS = (*(f"{part}_{measure}" for part in PARTS for measure in MEASURES), "steps", "seconds")


def say(text: str) -> None:
    """Write a line at once, so that a long benchmark can be followed."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=("openfield", "mirror-mouse"), default="openfield")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--train-frames", type=int, help="use no more frames than this to train")
    parser.add_argument(
        "--within-training", action="store_true", help="leave the test frames out of everything"
    )
    parser.add_argument("--weights", choices=("imagenet", "none"), default="imagenet")
    parser.add_argument("--steps", type=int, help="optimizer steps at most")
    parser.add_argument("--backbone", help="name of the backbone")
    parser.add_argument("--keep", type=Path, help="folder in which the projects stay")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("options", nargs="*", metavar="option=value", help="for pn.train")
    return parser.parse_intermixed_args()


def train_options(given: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Return the options of `pn.train`; values are read as JSON, else as text."""
    options: dict[str, Any] = {"test_fraction": 0.5, "seed": seed}
    options["weights"] = None if given.weights == "none" else given.weights
    for name in ("steps", "backbone"):
        if getattr(given, name) is not None:
            options[name] = getattr(given, name)
    for text in given.options:
        name, equals, value = text.partition("=")
        if not equals:
            sys.exit(f"Options are written option=value; got {text!r}.")
        try:
            options[name] = json.loads(value)
        except json.JSONDecodeError:
            options[name] = value
    return options


def drawn(labels: Any, config: Any, given: argparse.Namespace) -> Any:
    """Return the split that `config` draws, narrowed as the command line says."""
    from posenb.core import Split
    from posenb.labels import make_split

    split = make_split(labels, config.split)
    if given.within_training:
        rows = [i for i, frame in enumerate(labels.frames) if frame not in set(split.test)]
        split = make_split(labels.select(rows), config.split.replace(test_fraction=1 / 3))
    # The order in which frames are listed is alphabetical, so take them evenly.
    train = split.train
    most = given.train_frames
    if most is not None and most < len(train):
        train = tuple(train[i * len(train) // most] for i in range(most))
    return Split(train, split.validation, split.test)


def one_seed(given: argparse.Namespace, seed: int) -> dict[str, float]:
    """Train and evaluate once."""
    import csv

    import posenb as pn
    from posenb import storage
    from posenb._progress import silent_progress, tqdm_progress

    progress = silent_progress if given.quiet else tqdm_progress
    config = pn.TrainConfig.from_options(**train_options(given, seed))
    with tempfile.TemporaryDirectory(prefix="accuracy-") as folder:
        copy = storage.join(given.keep or folder, f"{given.data}-{seed}")
        storage.copy_folder(str(SHARED / "data" / given.data), copy)
        project = pn.open_project(copy)
        split = drawn(project.labels(), config, given)
        start = time.monotonic()
        run = pn.train(project, config, split=split, progress=progress)
        seconds = time.monotonic() - start
        summary = pn.evaluate(run, figures=False, worst=0, progress=progress).summary
        rows = list(csv.DictReader(storage.read_text(run.history_url).splitlines()))
    total = summary[summary["keypoint"] == "all"].set_index("split")
    figures = {
        f"{part}_{measure}": float(total.loc[part, measure])
        if part in total.index
        else float("nan")
        for part in PARTS
        for measure in MEASURES
    }
    return figures | {"steps": float(rows[-1]["step"]), "seconds": seconds}


def show(rows: dict[int, dict[str, float]]) -> None:
    """Print the table."""
    say(f"{'seed':>6}" + "".join(f"{name.replace('_', ' '):>19}" for name in COLUMNS))
    for seed, row in rows.items():
        say(f"{seed:>6}" + "".join(f"{row[name]:>19.2f}" for name in COLUMNS))
    if len(rows) > 1:
        cells = []
        for name in COLUMNS:
            values = [row[name] for row in rows.values()]
            cells.append(f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}")
        say(f"{'all':>6}" + "".join(f"{cell:>19}" for cell in cells))


def main() -> None:
    """Train once a seed, print, and write the figures."""
    given = parse()
    if not (SHARED / "data" / given.data).is_dir():
        sys.exit(f"The real data ({SHARED / 'data' / given.data}) is not at hand.")
    if (SHARED / "weights" / "keras").is_dir():
        os.environ.setdefault("KERAS_HOME", str(SHARED / "weights" / "keras"))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    rows: dict[int, dict[str, float]] = {}
    for seed in given.seeds:
        rows[seed] = one_seed(given, seed)
        show(rows)
        if given.json:
            facts = {"data": given.data, "options": train_options(given, seed), "rows": rows}
            given.json.write_text(json.dumps(facts, indent=1))


if __name__ == "__main__":
    main()
