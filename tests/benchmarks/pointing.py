"""How exactly a mouse labels: 20 real frames at given coordinates, then the table is read.

    python tests/benchmarks/pointing.py [--surface lab|voila|colab] [--frames 20]

The open field's own labels are clicked in an empty copy of its project, once with the whole
image in view, once zoomed in at each point and panned. A mouse has whole pixels of the screen,
so the image at fit allows up to half a pixel of the screen.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
LIMITS = {"at fit": 0.5, "zoomed and panned": 0.1}  # pixels of the image


@pytest.mark.parametrize("way", LIMITS)
def test_pointing(open_notebook, shared_data, tmp_path, way):
    from test_widgets_label_browser import Desk, mice, table

    project, known = mice(shared_data, tmp_path, int(os.environ["POINTING_FRAMES"]))
    wanted = known.positions[:, 0]
    assert not np.isnan(wanted).any()
    desk = Desk(open_notebook, project, os.environ["POINTING_SURFACE"])
    scale = desk.viewport().scale
    for n, places in enumerate(wanted):
        if n:
            desk.press("next")
        desk.until("view.state.frame", str(n))
        for k, place in enumerate(places, start=1):
            if way != "at fit":
                desk.press("fit")
                desk.zoom_in_at(place)
                desk.pan(37, -23)
            desk.click(place)
            desk.until("(view.state.here.visibility > 0).sum()", str(k))
    zoom = desk.viewport().scale
    desk.save()
    found = table(project)
    assert [frame.image for frame in found.frames] == [frame.image for frame in known.frames]
    off = np.abs(found.positions[:, 0] - wanted)
    sys.stdout.write(
        f"\n| {way} | {off.shape[0]} frames, {off.size // 2} points | {scale:.2f} to {zoom:.2f} "
        f"screen px a px | mean {off.mean():.3f}, most {off.max():.3f} px | {LIMITS[way]} |\n"
    )
    for n, k in np.unique(np.argwhere(off > LIMITS[way])[:, :2], axis=0):
        sys.stdout.write(f"frame {n}, keypoint {k}: off by {off[n, k].round(2)} px\n")
    assert off.max() <= LIMITS[way]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surface", choices=["lab", "voila", "colab"], default="lab")
    parser.add_argument("--frames", type=int, default=20)
    for name, value in vars(parser.parse_args()).items():
        os.environ[f"POINTING_{name.upper()}"] = str(value)
    # Pytest brings the servers and the browser, which are fixtures of the tests.
    return int(pytest.main(["-q", "-s", "-p", "no:cacheprovider", __file__]))


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent / "widgets"))  # where the hands of this test are
    sys.exit(main())
