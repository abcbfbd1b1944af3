"""What a new user's walk takes in one notebook: cells, clicks, hand-typed words.

    python tests/benchmarks/walk.py [--frames 20] [--steps 60] [--analyze 2330]

Real JupyterLab in headless Chromium on this machine, and the real video
``../shared/data/openfield/videos/m3v1mp4.mp4``: upload, pick frames, label, train in the
background, analyze and browse. The hand clicks where the zoo's ``mouse_openfield`` sees the
keypoints, as a person would; a step of the walk is over when the page shows that it is.
"""

import argparse
import os
import sys
import time

import numpy as np
import pytest

WEIGHTS = "weights/keras"


def seen_by_the_zoo():
    """Return eyes that see where the zoo's model does."""
    from posenb.core import AnalyzeConfig
    from posenb.project import read_image
    from posenb.zoo import fetch
    from posenb.zoo.analyze import predict_at
    from posenb.zoo.card import NETWORK

    file, config = fetch("mouse_openfield") / NETWORK, AnalyzeConfig()

    def eyes(project, frame):
        image = read_image(project, frame)
        return predict_at(file, image[None], 1.0, config)[0, :, :2]

    return eyes


def test_walk(open_notebook, shared_data):
    from newcomer import Newcomer, Step

    os.environ.setdefault("KERAS_HOME", str(shared_data.parent / WEIGHTS))
    count = int(os.environ["WALK_FRAMES"])
    notebook = open_notebook([""], "lab", size=(1280, 900), run=False)
    user = Newcomer(notebook, seconds=1800)
    eyes = seen_by_the_zoo()
    load, times, off = os.getloadavg()[0], [], np.empty(0)
    for step in (
        lambda: user.upload(shared_data / "openfield" / "videos" / "m3v1mp4.mp4"),
        lambda: user.pick(count),
        lambda: user.label(eyes),
        lambda: user.train(f", steps={os.environ['WALK_STEPS']}"),
        lambda: user.browse(f", stop={os.environ['WALK_ANALYZE']}"),
    ):
        begun = time.monotonic()
        result = step()
        times.append(time.monotonic() - begun)
        off = result if user.steps[-1].name == "label" else off
        notebook.screenshot(f"walk_{len(times)}")
    total = Step("all", *(user.total(what) for what in ("cells", "clicks", "words")))
    say = sys.stdout.write
    say(f"\nload average {load:.1f} on {os.cpu_count()} cores\n\n")
    say("| step | cells | clicks | words typed | seconds |\n|---|---|---|---|---|\n")
    for step, seconds in zip([*user.steps, total], [*times, sum(times)], strict=True):
        say(f"| {step.name} | {step.cells} | {step.clicks} | {step.words} | {seconds:.0f} |\n")
    say(f"\nlabels off by at most {off.max():.2f} px\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--analyze", type=int, default=2330, help="frames of the video")
    for name, value in vars(parser.parse_args()).items():
        os.environ[f"WALK_{name.upper()}"] = str(value)
    # Pytest brings the server and the browser, which are fixtures of the tests.
    return int(pytest.main(["-q", "-s", "-p", "no:cacheprovider", __file__]))


if __name__ == "__main__":
    sys.exit(main())
