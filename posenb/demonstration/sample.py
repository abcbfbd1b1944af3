"""The verb `sample_project`: something to try everything on, before there are own videos."""

from __future__ import annotations

import numpy as np
from PIL import Image

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import FrameName, Labels, Poses
from posenb.demonstration.animal import SKELETON, Walk, draw_frames, true_poses, walk
from posenb.project import Project, add_videos, create_project
from posenb.video import VideoWriter, open_video

__all__ = [
    "CLIP",
    "EVERY",
    "FPS",
    "FRAMES",
    "add_clip",
    "draw_clip",
    "label_frames",
    "sample_project",
]

FRAMES, FPS = 180, 30.0
EVERY = 6  # each so many frames one is labelled
CLIP = "walk"


def sample_project(
    folder: storage.Url = "posenb-sample",
    *,
    labelled: bool = True,
    progress: Progress = tqdm_progress,
) -> Project:
    """Make a project of a mouse that never lived, to try everything on.

    Its video ``walk`` is six seconds of a mouse from above, drawn and therefore free of any
    licence; nothing is downloaded. Called again it opens the project with all that was done
    in it since.

    Parameters
    ----------
    folder : str or PathLike, optional
    labelled : bool, default True
        Label 30 of the 180 frames; without, the project is one that was just made.
    progress : callable, optional
        Makes the progress bars.

    Returns
    -------
    Project

    Raises
    ------
    ProjectError
        If the folder holds another project.

    Examples
    --------
    >>> project = sample_project("gs://lab/sample")  # doctest: +SKIP
    """
    project = create_project(
        folder, keypoints=SKELETON.keypoints, skeleton=SKELETON.edge_names, name="posenb sample"
    )
    motion = walk(FRAMES, 0)
    project = add_clip(project, motion, 0, progress)
    if labelled and not project.has_labels():
        label_frames(project, true_poses(motion, FPS), np.arange(0, FRAMES, EVERY))
    return project


def add_clip(project: Project, motion: Walk, seed: int, progress: Progress) -> Project:
    """Draw the video of a walk into the project, if it is not there.

    Parameters
    ----------
    project : Project
    motion : Walk
    seed : int
        Decides floor and noise.
    progress : callable
        Makes the progress bar; it counts frames.

    Returns
    -------
    Project
        With the video.
    """
    url = storage.join(project.url, "videos", f"{CLIP}.mp4")
    draw_clip(url, motion, seed, progress)
    if CLIP in project.videos:
        return project
    return add_videos(project, url, progress=progress)


def draw_clip(url: str, motion: Walk, seed: int, progress: Progress) -> None:
    """Draw the video of a walk, if it is not there.

    Parameters
    ----------
    url : str
        The ``.mp4``.
    motion : Walk
    seed : int
        Decides floor and noise.
    progress : callable
        Makes the progress bar; it counts frames.
    """
    if storage.exists(url):
        return
    with (
        progress(len(motion), "Making the video", "frame") as bar,
        VideoWriter(url, fps=FPS) as writer,
    ):
        for frame in draw_frames(motion, seed):
            writer.write(frame)
            bar.advance()


def label_frames(project: Project, truth: Poses, frames: np.ndarray) -> None:
    """Label some frames, as a person of great patience would.

    Parameters
    ----------
    project : Project
    truth : Poses
        Where the keypoints are in every frame.
    frames : ndarray, shape (N,)
        Zero-based numbers of frames.
    """
    names = [FrameName(CLIP, f"img{frame:03d}.png") for frame in frames]
    with open_video(project.video_url(CLIP)) as video:
        for frame, name in zip(frames, names, strict=True):
            url = project.image_url(name)
            if not storage.exists(url):
                with storage.writing(url) as path:
                    Image.fromarray(video[int(frame)]).save(path, format="png")
    project.save_labels(Labels(tuple(names), truth.positions[frames], project.skeleton))
