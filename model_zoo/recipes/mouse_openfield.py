"""The open-field mouse from above: python model_zoo/recipes/mouse_openfield.py."""

from __future__ import annotations

from pathlib import Path

import posenb as pn
from common import VARIED, Recipe, copied, data_folder, trained
from posenb.labels import make_split

# The splits of seeds 0 to 2 were looked at when options were chosen; this one never was.
SPLIT = pn.SplitConfig(test_fraction=0.25, validation_fraction=0.15, seed=12)


def prepare(data: Path, folder: Path) -> tuple[pn.Project, pn.Split]:
    """Copy the example project and draw the split."""
    project = copied(data / "openfield", folder)
    return project, make_split(project.labels(), SPLIT)


RECIPE = Recipe("mouse_openfield", prepare, {"seed": 12, "steps": 2000, **VARIED})

if __name__ == "__main__":
    trained(RECIPE, data_folder())
