"""How many labels a model of the zoo saves: trained from it, and from ImageNet, on few frames.

    python tests/benchmarks/fewer_labels.py --json fewer_labels.json
    python tests/benchmarks/fewer_labels.py --labels 5 20 --seeds 0

The fruit fly of the zoo learned from `clip`, which is the longest proofread recording; so the
start here is made as `fly_above` is, but without it: trained on `demo-flies13-preds`, its
checkpoint chosen on `two_flies` (model_zoo/recipes/fly_above.py cuts single flies out of both).
Then frames of `clip` up to 1200 are labelled, and windows around the flies in frames from 1260 on
are the test: neither start nor anything else ever saw that recording, and no option was chosen on
it. Of each
seed, the labels for fewer frames are among those for more. No frame validates; the last weights
count. All else is the default, but for half the scale, which the two cores of this machine ask
for. From ImageNet training goes on three times as long as from the start, as it needs to.

Stopped and run again, it goes on. Errors are pixels of the source, in which a fly is 128 long.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

import posenb as pn
from posenb import storage
from posenb._progress import silent_progress, tqdm_progress
from posenb.core import FrameName
from posenb.evaluation import pixel_errors
from posenb.labels import given_split
from posenb.project import read_image
from posenb.zoo.analyze import predict_at

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
TRAIN, CHOICE, NEW = "demo-flies13-preds", "two_flies", "clip"
LABELLED, TESTED = range(1200), range(1260, 1500)  # frames of the new recording
SCALE = 0.5
KINDS = ("ImageNet", "zoo")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, nargs="+", default=[3, 5, 10, 20, 40])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument(
        "--steps", type=int, nargs=2, default=[600, 200], help="of training from ImageNet and zoo"
    )
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args()


def say(text: str) -> None:
    """Write a line at once, so that a long benchmark can be followed."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def recipe() -> Any:
    """Import the recipe of the bundled fly."""
    sys.path.insert(0, str(ROOT / "model_zoo" / "recipes"))
    import fly_above

    return fly_above


def of_clip(project: pn.Project, numbers: range) -> list[FrameName]:
    """Return the labelled windows of some frames of the new recording; img0012_1.png is one."""
    frames = [frame for frame in project.labels().frames if frame.video == NEW]
    return [frame for frame in frames if int(frame.image[3:7]) in numbers]


def trained_start(project: pn.Project, progress: Any) -> pn.Run:
    """Train what stands for the model of the zoo."""
    from common import VARIED

    split = given_split(project.labels(), train=[TRAIN], validation=[CHOICE], test=["single_fly"])
    options = {"seed": 12, "steps": 1000, "scale": SCALE, **VARIED}
    return pn.train(project, name="without_clip", split=split, progress=progress, **options)


def errors_of(run: pn.Run, project: pn.Project) -> dict[str, float]:
    """Return how far a run is off on the test frames, pixels."""
    labels, wanted = project.labels(), of_clip(project, TESTED)
    rows = [labels.frames.index(frame) for frame in wanted]
    pictures = np.stack([read_image(project, frame) for frame in wanted])
    found = predict_at(Path(run.network_url), pictures, 1.0, pn.AnalyzeConfig())
    errors = pixel_errors(found[:, None, :, :2], labels.positions[rows])
    known = errors[~np.isnan(errors)]
    return {"mean": float(known.mean()), "median": float(np.median(known))}


def one(
    project: pn.Project, start: pn.Run | None, steps: int, count: int, seed: int, progress: Any
) -> dict[str, Any]:
    """Train on some frames from one of the two beginnings, and test."""
    pool = of_clip(project, LABELLED)
    chosen = [pool[i] for i in np.random.default_rng(seed).permutation(len(pool))[:count]]
    split = pn.Split(tuple(sorted(chosen)))
    options: dict[str, Any] = {"steps": steps, "scale": SCALE, "seed": seed}
    if start is not None:
        options["start"] = start.url
    kind = KINDS[start is not None]
    name = f"{kind.lower()}_{steps}_{count}_{seed}"
    run = pn.train(project, name=name, split=split, progress=progress, **options)
    return {"start": kind, "steps": steps, "labels": count, "seed": seed, **errors_of(run, project)}


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table: one line a number of labels, means over the seeds."""
    heads = "".join(f"{kind + ', px':>16}{'median':>8}" for kind in KINDS)
    say(f"{'labels':>8}{'seeds':>7}{heads}")
    for count in sorted({row["labels"] for row in rows}):
        same = [row for row in rows if row["labels"] == count]
        seeds = {row["seed"] for row in same}
        say(f"{count:>8}{len(seeds):>7}" + "".join(_cell(same, kind) for kind in KINDS))


def _cell(rows: list[dict[str, Any]], kind: str) -> str:
    mine = [row for row in rows if row["start"] == kind]
    if not mine:
        return f"{'':>24}"
    mean, median = (np.mean([row[key] for row in mine]) for key in ("mean", "median"))
    return f"{mean:>16.2f}{median:>8.2f}"


def main() -> None:
    """Train one after the other, print, and write the figures."""
    given = parse()
    if not (SHARED / "data" / "flies").is_dir():
        sys.exit(f"The labelled flies ({SHARED / 'data' / 'flies'}) are not at hand.")
    if (SHARED / "weights" / "keras").is_dir():
        os.environ.setdefault("KERAS_HOME", str(SHARED / "weights" / "keras"))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    progress = silent_progress if given.quiet else tqdm_progress
    folder = storage.cache_folder() / "benchmarks" / "fewer_labels"
    project, _ = recipe().prepare(SHARED / "data", folder)
    start = trained_start(project, progress)
    rows: list[dict[str, Any]] = [
        {"start": "zoo", "labels": 0, "seed": 0, **errors_of(start, project)}
    ]
    pool, tested = (len(of_clip(project, part)) for part in (LABELLED, TESTED))
    say(f"{pool} windows to label, {tested} tested")
    for seed in given.seeds:
        for count in given.labels:
            for each, steps in zip((None, start), given.steps, strict=True):
                rows.append(one(project, each, steps, count, seed, progress))
            show(rows)
            if given.json:
                given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
