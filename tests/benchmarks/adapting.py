"""Whether a model that teaches itself on a video comes nearer to the truth, and is kept for it.

    python tests/benchmarks/adapting.py mouse --change blur --json adapting.json
    python tests/benchmarks/adapting.py fly

`mouse` adapts `mouse_openfield` to every third frame of m3v1mp4.mp4, of which nothing is labelled,
and measures the error on the 29 labelled frames of m4s1 that the model was never trained on, both
changed in the same way. `fly` adapts `fly_above` to a window around the fly of single_fly, a
recording that no model learned from, and measures the error on the held-out block of the same.
Errors are pixels; the size of the animal is the one found in the video.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

import posenb as pn
from posenb import storage
from posenb._progress import silent_progress, tqdm_progress
from posenb.labels import make_split
from posenb.project import read_image
from posenb.video import open_video, write_video
from posenb.zoo.adapting import _choose
from posenb.zoo.analyze import predict_at

SHARED = Path(__file__).parents[3] / "shared" / "data"
WINDOW = 320  # pixels around the fly
SPLIT = pn.SplitConfig(test_fraction=0.25, validation_fraction=0.15, seed=12)  # of the recipe
Change = Callable[[np.ndarray], np.ndarray]


def plain(frame: np.ndarray) -> np.ndarray:
    """Leave a frame as it is."""
    return frame


def blurred(frame: np.ndarray) -> np.ndarray:
    """Blur and darken a frame, as a lens out of focus in a badly lit room does."""
    soft = np.asarray(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(3.0)))
    return (soft * 0.45).astype(np.uint8)


def noisy(frame: np.ndarray) -> np.ndarray:
    """Add grain of 25 grey levels, the same each time for the same frame."""
    generator = np.random.default_rng(int(frame[::7].sum()))
    grain = generator.normal(0, 25, frame.shape)
    return np.clip(frame + grain, 0, 255).astype(np.uint8)


CHANGES: dict[str, Change] = {"none": plain, "blur": blurred, "noise": noisy}
Known = tuple[Path, str, np.ndarray, np.ndarray]  # video, model, frames and their keypoints


def mouse(folder: Path, change: Change) -> Known:
    """Return the video of one session, and labelled frames of the other."""
    with open_video(SHARED / "openfield" / "videos" / "m3v1mp4.mp4", warn=False) as reader:
        film = folder / "mouse.mp4"
        write_video(film, (change(reader[n]) for n in range(0, 1800, 3)), fps=10)
    copied = shutil.copytree(
        SHARED / "openfield", folder / "openfield", copy_function=shutil.copyfile
    )
    for each in (copied, *(path for path in copied.rglob("*") if path.is_dir())):
        each.chmod(0o755)
    project = pn.open_project(copied)
    labels, wanted = project.labels(), make_split(project.labels(), SPLIT).test
    frames = np.stack([change(read_image(project, frame)) for frame in wanted])
    rows = [labels.frames.index(frame) for frame in wanted]
    model = "mouse_openfield"
    places = [labels.skeleton.index(name) for name in pn.zoo.show(model).keypoints]
    return film, model, frames, labels.positions[rows, 0][:, places]


def fly(folder: Path, change: Change) -> Known:
    """Return a window around the fly, and its held-out block."""
    import sleap_io

    labels = sleap_io.load_slp(str(SHARED / "flies" / "single_fly.slp"))
    model, names = "fly_above", [node.name for node in labels.skeletons[0].nodes]
    places = [names.index(name) for name in pn.zoo.show(model).keypoints]
    truth = {each.frame_idx: each.instances[0].numpy()[places] for each in labels}
    whole = np.stack(list(truth.values()))
    middle = (np.nanmin(whole, axis=(0, 1)) + np.nanmax(whole, axis=(0, 1))) / 2
    left, top = (middle - WINDOW / 2).astype(int)
    film = folder / "fly.mp4"
    with open_video(SHARED / "flies" / "single_fly.mp4", warn=False) as reader:
        pictures = (reader[n][top : top + WINDOW, left : left + WINDOW] for n in range(len(reader)))
        write_video(film, (change(np.ascontiguousarray(each)) for each in pictures), fps=25)
    with open_video(film, warn=False) as reader:
        held = _choose(len(reader))[1]
        frames = np.stack([reader[n] for n in held])
    return film, model, frames, np.stack([truth[n] for n in held]) - (left, top)


def errors(file: Path, size: float, frames: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return how far a model is off."""
    found = predict_at(file, frames, size, pn.AnalyzeConfig(precision="float32"))
    off = np.linalg.norm(found[..., :2] - truth, axis=-1)
    return {"mean": float(np.nanmean(off)), "median": float(np.nanmedian(off))}


def main() -> None:
    """Adapt, print the table and the errors, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("animal", choices=["mouse", "fly"])
    parser.add_argument("--change", choices=list(CHANGES), default="none")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    given = parser.parse_args()
    if not SHARED.is_dir():
        sys.exit(f"The labelled animals ({SHARED}) are not at hand.")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare = {"mouse": mouse, "fly": fly}[given.animal]
        film, model, frames, truth = prepare(folder, CHANGES[given.change])
        progress = silent_progress if given.quiet else tqdm_progress
        result = pn.zoo.adapt(
            film, model, steps=given.steps, output=folder / "adapted", progress=progress
        )
        sys.stdout.write(f"{result}\n")
        size = json.loads((folder / "adapted" / "adapting.json").read_text())["found"]
        figures: dict[str, Any] = {"animal": given.animal, "change": given.change}
        figures |= {"steps": given.steps, "size": size, "kept": result.kept}
        figures["before"] = errors(pn.zoo.fetch(model) / "model.onnx", size, frames, truth)
        if result.run is not None:
            network = storage.cached_copy(result.run.network_url)
            figures["after"] = errors(network, 1.0, frames, truth)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
