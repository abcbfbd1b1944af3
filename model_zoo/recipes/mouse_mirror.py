"""The mouse on the wheel in two mirror views: python model_zoo/recipes/mouse_mirror.py."""

from __future__ import annotations

from pathlib import Path

import posenb as pn
from common import VARIED, Recipe, copied, data_folder, trained
from posenb.labels import make_split

SPLIT = pn.SplitConfig(test_fraction=0.25, validation_fraction=0.15, seed=12)


def prepare(data: Path, folder: Path) -> tuple[pn.Project, pn.Split]:
    """Copy the example project and draw the split."""
    project = copied(data / "mirror-mouse", folder)
    return project, make_split(project.labels(), SPLIT)


RECIPE = Recipe("mouse_mirror", prepare, {"seed": 12, "steps": 1500, **VARIED})

if __name__ == "__main__":
    trained(RECIPE, data_folder())
