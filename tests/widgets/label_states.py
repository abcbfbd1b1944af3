"""States and projects that the tests of the labeller share."""

import numpy as np
from PIL import Image

from posenb.core import FrameName, Labels, Skeleton
from posenb.project import create_project, open_project
from posenb.widgets.label_moves import resize_canvas, show_image
from posenb.widgets.label_state import Suggestion, new_state

KEYPOINTS = ("snout", "ear", "tail")
CAGE = Skeleton.from_names((*KEYPOINTS, "corner"), [("snout", "tail")], ["corner"])
FRAMES = tuple(FrameName(video, f"img{n}.png") for video in ("m1", "m2") for n in range(3))


def labels_of(frames=FRAMES, individuals=("",), skeleton=None):
    skeleton = skeleton or Skeleton(KEYPOINTS)
    shape = (len(frames), len(individuals), len(skeleton), 2)
    return Labels(frames, np.full(shape, np.nan), skeleton, individuals)


def state_of(individuals=("",), skeleton=None, suggestions=None):
    """Six empty frames of 200 x 100 pixels in two videos, seen at twice their size."""
    labels = labels_of(individuals=individuals, skeleton=skeleton)
    state = show_image(new_state(FRAMES, labels, suggestions), (200, 100))
    return resize_canvas(state, (400.0, 200.0))


def suggestion(likelihoods, individuals=1):
    """Keypoint k of animal i at (10 k, 10 i + 5)."""
    likelihoods = np.array(likelihoods, dtype=float).reshape(individuals, -1)
    i, k = np.indices(likelihoods.shape)
    return Suggestion(np.stack([10.0 * k, 10.0 * i + 5.0], axis=-1), likelihoods)


def made_project(folder, images=("img0.png", "img1.png", "img2.png"), **options):
    """A project of two videos with grey frames and no labels."""
    options = {"keypoints": list(KEYPOINTS), **options}
    project = create_project(folder / "project", **options)
    for v, video in enumerate(("m1", "m2")):
        below = folder / "project" / "labeled-data" / video
        below.mkdir(parents=True)
        for n, image in enumerate(images):
            pixels = np.full((100, 200, 3), 40 + 60 * v + 20 * n, dtype=np.uint8)
            pixels[20 + 10 * n : 30 + 10 * n, 50:60] = (255, 0, 0)
            Image.fromarray(pixels).save(below / image)
    return open_project(project.url)
