"""Does the device ever wait for data? Steps on real data against steps on one batch.

    python tests/benchmarks/feeding.py [--data openfield] [--rounds 5] [--steps 20]

Trains the default network on real frames in two ways by turns, in one process: with
batches made ahead as `pn.train` makes them, and with a batch made once and given again
and again. The ratio of the median times tells the share of time spent waiting; the
project's aim is 1.15 at most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def say(text: str) -> None:
    """Write a line at once, so that a long benchmark can be followed."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=("openfield", "mirror-mouse"), default="openfield")
    parser.add_argument("--rounds", type=int, default=5, help="times each way has its turn")
    parser.add_argument("--steps", type=int, default=20, help="steps a turn")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


def prepare(options: argparse.Namespace) -> tuple[object, Callable[[int], object]]:
    """Return a compiled learner and what makes the batch of a step."""
    from functools import partial

    from posenb.augmentation import find_habits
    from posenb.core import TrainConfig
    from posenb.models import Resize, build_network, jit_compile
    from posenb.project import open_project
    from posenb.training.batches import batch_at
    from posenb.training.frames import load_frames
    from posenb.training.learner import Learner
    from posenb.training.loop import make_optimizer
    from posenb.training.sizing import choose_radius, choose_scale, choose_window

    config = TrainConfig.from_options(
        backbone=options.backbone, weights=None, batch_size=options.batch_size
    )
    project = open_project(DATA / options.data)
    labels = project.labels()
    scale = choose_scale(labels, config)
    window = choose_window(labels, scale, config)
    shrink = Resize(scale)
    frames = load_frames(
        project, labels, lambda f: shrink(f).numpy().clip(0, 255).round().astype("uint8")
    )
    habits = find_habits(labels, config.augmentation)
    network = build_network(config.model, len(project.skeleton))
    radius = choose_radius(labels, scale, config)
    learner = Learner(network, config, project.skeleton, window=window, radius=radius)
    learner.compile(optimizer=make_optimizer(config), jit_compile=jit_compile())
    make = partial(batch_at, frames=frames, window=window, config=config, habits=habits)
    return learner, make


def seconds_a_step(learner: object, batches: Iterator[object], steps: int) -> float:
    """Time `steps` steps of `fit`, as `train` calls it."""
    start = time.perf_counter()
    learner.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)  # type: ignore[attr-defined]
    return (time.perf_counter() - start) / steps


def measure(options: argparse.Namespace) -> dict[str, float | list[float]]:
    """Return the seconds a step of each turn, and the median of their ratios."""
    from posenb.training.batches import prefetch

    learner, make = prepare(options)
    constant = make(0)

    def repeated() -> Iterator[object]:
        while True:
            yield (constant,)

    seconds_a_step(learner, repeated(), 2)  # compiles
    real: list[float] = []
    same: list[float] = []
    for turn in range(options.rounds):
        first = turn * options.steps
        real.append(
            seconds_a_step(learner, prefetch(make, first, first + options.steps), options.steps)
        )
        same.append(seconds_a_step(learner, repeated(), options.steps))
    # Turn by turn, so that other work on the machine meets both ways alike.
    ratio = statistics.median(r / s for r, s in zip(real, same, strict=True))
    return {"real": real, "constant": same, "ratio": ratio}


def main() -> None:
    """Measure and print."""
    options = parse()
    if not (DATA / options.data).is_dir():
        sys.exit(f"The real data ({DATA / options.data}) is not at hand.")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["POSENB_CACHE"] = cache
        found = measure(options)
    say(f"{'turn':>6} {'real data':>12} {'one batch':>12}   seconds a step")
    for turn, (real, same) in enumerate(zip(found["real"], found["constant"], strict=True)):
        say(f"{turn + 1:>6} {real:>12.4f} {same:>12.4f}")
    medians = [statistics.median(found[name]) for name in ("real", "constant")]
    say(f"{'median':>6} {medians[0]:>12.4f} {medians[1]:>12.4f}")
    say(f"ratio {found['ratio']:.3f} (the aim is 1.15 at most)")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
