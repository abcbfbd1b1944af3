"""The fruit fly from above: python model_zoo/recipes/fly_above.py (needs sleap-io).

Recordings are divided, not frames: `demo-flies13-preds` and `clip` train, `two_flies` chooses
the checkpoint, and `single_fly` is held out, in whole frames. Where there are two flies, one is
wanted: a window is cut out around it and the other one painted over with the empty arena, unless
they touch.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sleap_io
from common import BACKBONE, VARIED, Recipe, follow
from PIL import Image

import posenb as pn
from posenb.core import FrameName
from posenb.labels import given_split
from posenb.video import VideoReader, open_video

TRAIN, VALIDATION, TEST = ("demo-flies13-preds", "clip"), "two_flies", "single_fly"
COUNTS = {"demo-flies13-preds": 120, "clip": 100, "two_flies": 30, "single_fly": 64}
WINDOW, MARGIN = 384, 24  # pixels; a fly is some 120 long
APART = 12.0  # pixels between the nearest keypoints of two flies, so that they do not touch
AROUND = 34.0  # pixels from its skeleton to the outmost pixel of a fly
EMPTY = 20  # percentile over time that shows the arena: flies are bright and walk about
DARK = 48  # brightest grey level of the arena


def empty_arena(video: VideoReader) -> np.ndarray:
    """Return the arena without flies, uint8 (H, W, 3)."""
    frames = np.stack([video[i] for i in np.linspace(0, len(video) - 1, 40).astype(int)])
    arena = np.percentile(frames, EMPTY, axis=0, method="nearest").astype(np.uint8)
    # Where a fly hardly moved it is still there, fainter; the arena itself is dark.
    arena[arena.max(axis=-1) > DARK] = np.median(arena)
    return arena


def distances(fly: np.ndarray, edges: list[tuple[int, int]], box: np.ndarray) -> np.ndarray:
    """Return the distance of each pixel of a box (x1, x2, y1, y2) to a fly's skeleton."""
    y, x = np.mgrid[box[2] : box[3], box[0] : box[1]].astype(np.float32)
    nearest = np.full(x.shape, np.inf, np.float32)
    for start, end in ((fly[a], fly[b]) for a, b in edges):
        if np.isnan(start).any() or np.isnan(end).any():
            continue
        along = end - start
        share = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / max(along @ along, 1.0)
        share = share.clip(0, 1)
        away = np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1])
        nearest = np.minimum(nearest, away)
    return nearest


def hide(
    picture: np.ndarray,
    other: np.ndarray,
    wanted: np.ndarray,
    edges: list[tuple[int, int]],
    arena: np.ndarray,
) -> None:
    """Paint a fly over with the arena, but for what is nearer to the one that is wanted."""
    reach = int(AROUND) + 1
    low, high = np.nanmin(other, axis=0) - reach, np.nanmax(other, axis=0) + reach
    box = np.array((low[0], high[0], low[1], high[1])).round().astype(int).clip(0, len(picture))
    own = distances(other, edges, box)
    hidden = (own < AROUND) & (own < distances(wanted, edges, box))
    part = (slice(box[2], box[3]), slice(box[0], box[1]))
    picture[part][hidden] = arena[part][hidden]


def single_flies(
    picture: np.ndarray,
    flies: np.ndarray,
    edges: list[tuple[int, int]],
    arena: np.ndarray,
    generator: np.random.Generator,
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield number, window and keypoints of each fly of a frame that touches no other."""
    size = len(picture)
    for number, fly in enumerate(flies):
        others = np.delete(flies, number, axis=0).reshape(-1, 1, 2)
        if np.nanmin(np.linalg.norm(others - fly, axis=-1), initial=np.inf) < APART:
            continue
        alone = picture.copy()
        for other in np.delete(flies, number, axis=0):
            hide(alone, other, fly, edges, arena)
        low, high = np.nanmin(fly, axis=0) - MARGIN, np.nanmax(fly, axis=0) + MARGIN
        first, last = np.maximum(high - WINDOW, 0), np.minimum(low, size - WINDOW)
        left, top = generator.uniform(np.minimum(first, last), last).clip(0).astype(int)
        window = alone[top : top + WINDOW, left : left + WINDOW]
        yield number, window, fly - (left, top)


def frames_of(
    data: Path, recording: str, generator: np.random.Generator
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, picture and keypoints of frames of one recording, evenly over its length."""
    poses, edges = labelled(data, recording)
    far = [(frame, flies) for frame, flies in poses if closest(flies) >= APART]
    chosen = np.linspace(0, len(far) - 1, min(COUNTS[recording], len(far))).round().astype(int)
    with open_video(data / f"{recording}.mp4") as video:
        arena = empty_arena(video)
        for frame, flies in (far[i] for i in np.unique(chosen)):
            picture = video[frame]
            if recording == TEST:
                yield f"img{frame:04d}.png", picture, flies[0]
                continue
            for number, *found in single_flies(picture, flies, edges, arena, generator):
                yield f"img{frame:04d}_{number}.png", *found


def labelled(data: Path, recording: str) -> tuple[list[Any], list[tuple[int, int]]]:
    """Read the flies of each frame, shape (I, K, 2), and the edges of their skeleton."""
    poses = sleap_io.load_slp(str(data / f"{recording}.slp"), open_videos=False)
    frames = [
        (int(frame.frame_idx), np.stack([each.numpy() for each in frame.instances]))
        for frame in poses.labeled_frames
    ]
    return frames, [(int(a), int(b)) for a, b in poses.skeletons[0].edge_inds]


def closest(flies: np.ndarray) -> float:
    """Return the distance of the nearest keypoints of two flies, pixels."""
    pairs = [(a, b) for a in range(len(flies)) for b in range(a)]
    apart = [np.nanmin(np.linalg.norm(flies[a][:, None] - flies[b], axis=-1)) for a, b in pairs]
    return float(min(apart, default=np.inf))


def prepare(data: Path, folder: Path) -> tuple[pn.Project, pn.Split]:
    """Write a project whose videos are the recordings, and say which part each is."""
    if not (folder / "posenb.yaml").exists():
        write_project(data / "flies", folder)
    project = pn.open_project(folder)
    split = given_split(project.labels(), train=TRAIN, validation=[VALIDATION], test=[TEST])
    return project, split


def write_project(data: Path, folder: Path) -> None:
    """Write the frames, their labels and, last of all, the project."""
    skeleton = sleap_io.load_slp(str(data / f"{TEST}.slp"), open_videos=False).skeletons[0]
    generator = np.random.default_rng(12)
    labels = []
    for recording in COUNTS:
        target = folder / "labeled-data" / recording
        target.mkdir(parents=True, exist_ok=True)
        images, positions = [], []
        for name, picture, fly in frames_of(data, recording, generator):
            Image.fromarray(picture).save(target / name)
            images.append(FrameName(recording, name))
            positions.append(fly[None])
        names = pn.Skeleton(tuple(skeleton.node_names))
        labels.append(pn.Labels(tuple(images), np.stack(positions), names))
    names = skeleton.node_names
    edges = [(names[a], names[b]) for a, b in skeleton.edge_inds]
    project = pn.create_project(folder, keypoints=names, skeleton=edges, name="fly")
    for each in labels:
        project.save_labels(each)


FACTS = pn.zoo.CardFacts(
    title="Fruit fly from above",
    summary="Head, eyes, thorax, abdomen, wings and legs of a bright fly on a dark floor.",
    species="fruit fly (Drosophila melanogaster)",
    view="from above, bright flies on a dark floor, 1024 x 1024 pixels, a fly 120 pixels long",
    licence="Apache-2.0",
    data=(
        pn.zoo.DataSource(
            name="Test and demo recordings of SLEAP, dreem and sleap-io.js (Talmo Lab)",
            licence="BSD-3-Clause-Clear and BSD-3-Clause",
            citation="Pereira TD et al. SLEAP: a deep learning system for multi-animal pose "
            "tracking. Nature Methods 19, 486-495 (2022).",
            url="https://github.com/talmolab/sleap",
            used="240 windows of demo-flies13-preds (labelled by a machine, within 1.0 to 3.6 px "
            "of people) and 200 of clip (proofread) trained, 60 of two_flies chose the "
            "checkpoint; where there were two flies, the other one was painted over",
        ),
        BACKBONE,
    ),
    held_out="64 whole frames of single_fly, five seconds of a recording of which no frame was "
    "trained on. The fly hardly moves in them, so the figures hold for about one posture.",
    limits=(
        "One fly: where two are in view it finds parts of both. Crop to one.",
        "All recordings are of one kind of arena and light; others were not tried.",
        "Left and right are told by the picture alone, so a fly on its back has them exchanged.",
        "The ends of the legs are the least exact, and often hidden.",
    ),
    recipe="python model_zoo/recipes/fly_above.py",
)
RECIPE = Recipe("fly_above", prepare, {"seed": 12, "steps": 1500, **VARIED}, FACTS)

if __name__ == "__main__":
    follow(RECIPE)
