"""What a report shows of the poses of one video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from posenb import storage
from posenb._progress import Progress
from posenb.core import Poses
from posenb.errors import StorageError, VideoError
from posenb.inference import load_poses, source_video
from posenb.reports.clip import Clip, Span, make_clip
from posenb.views import plot_trajectories

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Recording", "Truth", "make_recording"]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is known of a made video.

    Parameters
    ----------
    poses : Poses
        Where everything was.
    errors : DataFrame
        Distances in pixels, as `posenb.evaluation.summarise` gives them.
    title, lead : str
        Heading and first words of the report.
    where : str
        Which frames the errors are of.
    files : mapping of str to str
        What was left where.
    """

    poses: Poses
    errors: pd.DataFrame
    title: str
    lead: str
    where: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """The poses of one video, ready for a page.

    Parameters
    ----------
    poses : Poses
    title : str
        Name of the video.
    image : ndarray of uint8, shape (H, W, 3), or None
        Frame of the video below the paths.
    note : str
        What `image` is, or why there is none.
    clip : Clip or None
    lacking : str
        Why there is no clip; empty if there is one.
    reference : Poses or None
        What to compare with.
    """

    poses: Poses
    title: str
    image: np.ndarray | None
    note: str
    clip: Clip | None
    lacking: str
    reference: Poses | None


def make_recording(
    source: Poses | storage.Url,
    *,
    video: storage.Url | None,
    span: Span,
    cutoff: float,
    share: float,
    progress: Progress,
    reference: Poses | None = None,
) -> Recording:
    """Make what a report shows of poses; without their video it shows less.

    Parameters
    ----------
    source : Poses, str or PathLike
    video : str or PathLike, optional
        Where it lies; by default where the poses say.
    span, cutoff, share, progress
        As for `make_clip`.
    reference : Poses, optional
        What to compare with.

    Raises
    ------
    VideoError, StorageError
        If a video that was asked for cannot be read.
    InvalidInputError
        If the span does not lie in the video, or the poses belong to another.
    """
    poses = source if isinstance(source, Poses) else load_poses(source)
    shown = plot_trajectories(poses, video=video, cutoff=cutoff)
    url = source_video(poses) if video is None else storage.resolve(video)
    clip, lacking = None, ""
    if url is None:
        lacking = "The video is not at hand, so there is no clip."
    elif not len(poses):
        lacking = "There is no frame in these poses, so there is no clip."
    else:
        try:
            clip = make_clip(poses, url, span, cutoff=cutoff, share=share, progress=progress)
        except (VideoError, StorageError):
            if video is not None:
                raise
            lacking = "The video cannot be read, so there is no clip."
    return Recording(poses, shown.title, shown.image, shown.note, clip, lacking, reference)
