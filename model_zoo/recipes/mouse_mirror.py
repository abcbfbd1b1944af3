"""The mouse on the wheel in two mirror views: python model_zoo/recipes/mouse_mirror.py."""

from __future__ import annotations

from pathlib import Path

from common import BACKBONE, VARIED, Recipe, copied, follow

import posenb as pn
from posenb.labels import make_split

SPLIT = pn.SplitConfig(test_fraction=0.25, validation_fraction=0.15, seed=12)


def prepare(data: Path, folder: Path) -> tuple[pn.Project, pn.Split]:
    """Copy the example project and draw the split."""
    project = copied(data / "mirror-mouse", folder)
    return project, make_split(project.labels(), SPLIT)


FACTS = pn.zoo.CardFacts(
    title="Mouse on a wheel in two mirror views",
    summary="Paws, nose and tail of a head-fixed mouse from the side and, in a mirror, from below.",
    species="mouse (Mus musculus)",
    view="from the side and, through a mirror, from below, in one picture of 396 x 406 pixels; "
    "head fixed, running on a wheel with obstacles, infrared",
    licence="Apache-2.0",
    data=(
        pn.zoo.DataSource(
            name="Example data of Lightning Pose (mirror-mouse)",
            licence="MIT (its repository)",
            citation="Biderman D, Whiteway MR et al. Lightning Pose: improved animal pose "
            "estimation via semi-supervised learning, Bayesian ensembling and cloud-native "
            "open-source tools. Nature Methods 21, 1316-1328 (2024). Recorded by Warren RA et al. "
            "A rapid whisker-based decision underlying skilled locomotion in mice. eLife 10, "
            "e63596 (2021).",
            url="https://github.com/paninski-lab/lightning-pose",
            used="57 frames trained and 10 chose the checkpoint",
        ),
        BACKBONE,
    ),
    held_out="23 frames of the same 90, drawn with seed 12. Which recordings they are of is not "
    "told with the data.",
    limits=(
        "It knows this rig: another camera, mirror or wheel needs labels of your own.",
        "Which paw is which is told by place, so it goes wrong where the picture is mirrored.",
        "The tail and paws behind obstacles are often off.",
        "One animal.",
    ),
    recipe="python model_zoo/recipes/mouse_mirror.py",
)
SKELETON = (
    *(("nose_top", f"{paw}_top") for paw in ("paw2LF", "paw3RF")),
    *(("tailBase_top", f"{part}_top") for part in ("nose", "paw1LH", "paw4RH", "tailMid")),
    *(("nose_bot", f"{paw}_bot") for paw in ("paw2LF", "paw3RF")),
    *(("tailBase_bot", f"{part}_bot") for part in ("nose", "paw1LH", "paw4RH", "tailMid")),
    ("obsHigh_bot", "obsLow_bot"),
)
RECIPE = Recipe("mouse_mirror", prepare, {"seed": 12, "steps": 1500, **VARIED}, FACTS, SKELETON)

if __name__ == "__main__":
    follow(RECIPE)
