"""How fast the labeller answers in a real browser.

    python tests/benchmarks/labelling.py [--surface lab|voila|colab]

A notebook and headless Chromium, both on this machine. Times run from an event in the page to
the first frame of the screen in which the canvas shows what came of it (labelling.js). Frames
are those of ``../shared/data/openfield``, at 640x480 as they are and scaled to 1920x1080.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

KEYPOINTS = ["snout", "leftear", "rightear", "tailbase"]
CELL = "import posenb as pn\nview = pn.label({url!r})\nview"
QUICK, SLOW = 150, 1200  # milliseconds between frames: leafing, labelling


def make_project(source: Path, folder: Path, size: tuple[int, int]) -> str:
    """Make a project of 60 frames scaled to `size`."""
    from posenb.project import create_project

    images = folder / "openfield" / "labeled-data" / "m4s1"
    images.mkdir(parents=True)
    for path in sorted(source.glob("*.png"))[:60]:
        with Image.open(path) as image:
            if image.size == size:
                shutil.copy(path, images)
            else:
                image.resize(size, Image.Resampling.BICUBIC).save(images / path.name)
    return create_project(folder / "openfield", keypoints=KEYPOINTS).url


def row(size: tuple[int, int], name: str, values: Any, wanted: str) -> str:
    """Return a line of the table, of times in milliseconds or of what a drag drew."""
    if isinstance(values, dict):
        found = f"{values['drawn']:.0f} updates/s of {values['sent']:.0f} moves/s"
    else:
        middle, high = np.percentile(values, [50, 95])
        found = f"p50 {middle:.0f} ms, p95 {high:.0f} ms"
    return f"| {size[0]}x{size[1]} | {name} | {found} | {wanted} |\n"


@pytest.mark.parametrize(("size", "limit"), [((640, 480), 200), ((1920, 1080), 400)])
def test_label(open_notebook, shared_data, tmp_path, size, limit):
    url = make_project(shared_data / "openfield/labeled-data/m4s1", tmp_path, size)
    notebook = open_notebook([CELL.format(url=url)], os.environ["LABEL_SURFACE"])
    notebook.wait_for(".pnb-stage canvas", seconds=120)
    notebook.page.wait_for_timeout(3000)
    load = os.getloadavg()[0]
    notebook.page.evaluate(Path(__file__).with_suffix(".js").read_text())
    wanted = f"<= {limit} ms"
    sys.stdout.write(f"\nload average {load:.1f} on {os.cpu_count()} cores\n")
    for name, call, goal in (
        ("click to drawn point", "clicks(40)", "p95 <= 100 ms"),
        ("next frame, labelling", f"frames(12, {SLOW})", wanted),
        ("next frame, leafing", f"frames(25, {QUICK})", wanted),
        ("drag", "drag(3000)", ">= 20 updates/s"),
    ):
        values = notebook.page.evaluate(f"() => measured.{call}")
        sys.stdout.write(row(size, name, values, goal))
        sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surface", choices=["lab", "voila", "colab"], default="lab")
    os.environ["LABEL_SURFACE"] = parser.parse_args().surface
    # Pytest brings the servers and the browser, which are fixtures of the tests.
    return int(pytest.main(["-q", "-s", "-p", "no:cacheprovider", __file__]))


if __name__ == "__main__":
    sys.exit(main())
