"""What the recipes share: where things lie, and the way from a project to a model of the zoo.

A recipe trains and packages its model in one command; how exact all models are is then measured,
and written on their cards, by `python tests/benchmarks/zoo.py --write`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import posenb as pn
from posenb import storage

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "model_zoo"
SHARED = ROOT.parent / "shared"

BACKBONE = pn.zoo.DataSource(
    name="ImageNet weights of MobileNetV2, where training began",
    licence="Apache-2.0 (weights)",
    citation="Sandler M et al. MobileNetV2: inverted residuals and linear bottlenecks. CVPR 2018; "
    "values reconstructed from the 8-bit network that Google Coral publishes.",
    url="https://coral.ai/models/image-classification/",
)
# More varied in light and sharpness than the defaults: the model will meet other rooms and
# cameras, and clips that were enlarged. Set beforehand; no held-out frame was looked at.
VARIED = {"zoom": 0.25, "brightness": 0.4, "contrast": 0.4, "blur": 0.25}


@dataclass(frozen=True)
class Recipe:
    """One model of the zoo.

    Parameters
    ----------
    name : str
        Of the model.
    prepare : callable
        Makes the project and its split: takes the folder of the data and that of the project.
    options : mapping
        Of `pn.train`.
    facts : CardFacts
        What the card says.
    skeleton : tuple of (str, str), optional
        Instead of the project's.
    """

    name: str
    prepare: Callable[[Path, Path], tuple[pn.Project, pn.Split]]
    options: Mapping[str, Any]
    facts: pn.zoo.CardFacts
    skeleton: tuple[tuple[str, str], ...] | None = None


def say(text: str) -> None:
    """Write a line at once, so that a long recipe can be followed."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def work_folder(name: str) -> Path:
    """Return where project and run of a recipe are kept, so that it can go on."""
    return storage.cache_folder() / "recipes" / name


def copied(source: Path, target: Path) -> pn.Project:
    """Copy a project, or go on with the copy that is there, and open it."""
    storage.copy_folder(source, target)
    return pn.open_project(target)


def trained(recipe: Recipe, data: Path) -> pn.Run:
    """Train as the recipe says; stopped and run again, it goes on."""
    if (SHARED / "weights" / "keras").is_dir():
        os.environ.setdefault("KERAS_HOME", str(SHARED / "weights" / "keras"))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    project, split = recipe.prepare(data, work_folder(recipe.name))
    parts = (len(split.train), len(split.validation), len(split.test))
    say(f"{recipe.name}: {parts[0]} frames train, {parts[1]} validate, {parts[2]} are held out")
    return pn.train(project, name=recipe.name, split=split, **recipe.options)


def follow(recipe: Recipe) -> None:
    """Train a model, evaluate it and put it into the zoo."""
    run = trained(recipe, data_folder())
    say(repr(pn.evaluate(run, figures=False, worst=0)))
    card = pn.zoo.publish(
        run, ZOO, name=recipe.name, facts=recipe.facts, skeleton=recipe.skeleton, replace=True
    )
    say(f"{card.name}: {card.size / 1e6:.1f} MB in {ZOO / card.name}")


def data_folder() -> Path:
    """Read the command line: where the data lie."""
    parser = argparse.ArgumentParser(description="Train a model of the zoo and package it.")
    parser.add_argument(
        "--data", type=Path, default=SHARED / "data", help="folder of the labelled data"
    )
    folder: Path = parser.parse_args().data
    if not folder.is_dir():
        sys.exit(f"The labelled data ({folder}) are not at hand; name their folder with --data.")
    return folder
