"""Poses and small videos that tests of the browser share."""

from pathlib import Path

import numpy as np

from posenb.core import Poses, Skeleton
from posenb.project import Project, add_videos, create_project
from posenb.video import write_video

__all__ = ["SIZE", "SKELETON", "make_poses", "make_project"]

SKELETON = Skeleton(("nose", "tail"), ((0, 1),))
SIZE = (48, 32)


def make_poses(count=60, individuals=1, **more) -> Poses:
    """Points that move by a pixel a frame, all sure."""
    names = ("",) if individuals == 1 else tuple(f"mouse{n}" for n in range(individuals))
    step = np.arange(count, dtype=float)[:, None, None] % 20
    positions = np.stack(np.broadcast_arrays(step + 5, step / 2 + 8), axis=-1)
    positions = positions + 3 * np.arange(2)[:, None] + 2 * np.arange(individuals)[:, None, None]
    values = {
        "positions": np.clip(positions, 0, 47),
        "likelihoods": np.full((count, individuals, 2), 0.9),
        "fps": 10.0,
        "individuals": names,
    }
    return Poses(**{**values, **more}, skeleton=SKELETON)


def make_project(folder: Path, count=60) -> Project:
    """A project with a video whose every frame has its own grey."""
    grey = (np.arange(count) * 4).astype(np.uint8)[:, None, None, None]
    frames = np.broadcast_to(grey, (count, SIZE[1], SIZE[0], 3))
    folder.mkdir(exist_ok=True)
    write_video(folder / "walk.mp4", frames, fps=10)
    project = create_project(folder / "reach", keypoints=["nose", "tail"])
    return add_videos(project, [folder / "walk.mp4"])
