"""The verb `plot_trajectories`: poses, looked at."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from posenb import storage
from posenb.core import Poses, Skeleton
from posenb.errors import InvalidInputError, StorageError, VideoError, VideoWarning
from posenb.inference import load_poses, source_video
from posenb.plots.theme import ThemeName, find_theme
from posenb.plots.trajectories import check_cutoff, notebook_frame, trajectories_page
from posenb.plots.trajectories_figure import trajectories_figure
from posenb.video import open_video

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Trajectories", "plot_trajectories"]

_HEIGHT = 680  # of the page in a notebook, pixels


@dataclass(frozen=True, slots=True, eq=False)
class Trajectories:
    """Trajectories to look at; shown by itself at the end of a notebook's cell.

    Parameters
    ----------
    poses : Poses
    image : ndarray of uint8, shape (H, W, 3), or None
        Frame of the video below the paths.
    title : str
        Heading.
    note : str
        What `image` is, or why there is none.
    cutoff : float
        Least likelihood that is shown at first.
    theme : {"light", "dark"}
        Look at first.
    """

    poses: Poses
    image: np.ndarray | None
    title: str
    note: str
    cutoff: float
    theme: ThemeName

    def to_html(self) -> str:
        """Return one page that opens offline in any browser."""
        return trajectories_page(
            self.poses,
            image=self.image,
            title=self.title,
            note=self.note,
            cutoff=self.cutoff,
            theme=self.theme,
        )

    def to_plotly(self) -> go.Figure:
        """Return the same panels as a plain figure of plotly, with all points in it."""
        return trajectories_figure(
            self.poses, image=self.image, title=self.title, cutoff=self.cutoff, theme=self.theme
        )

    def save(self, url: storage.Url) -> str:
        """Write the page to a path or URL, whole or not at all.

        Parameters
        ----------
        url : str or PathLike
            Ends in ``.html``.

        Returns
        -------
        str
            Where it lies.

        Raises
        ------
        InvalidInputError
            If `url` does not end in ``.html``.
        StorageError
            If it cannot be written.
        """
        whole = storage.resolve(url)
        if not whole.lower().endswith((".html", ".htm")):
            raise InvalidInputError(
                f"Trajectories are saved as a page, whose name ends in .html; got {url}."
            )
        storage.write_text(whole, self.to_html())
        return whole

    def _repr_html_(self) -> str:
        return notebook_frame(self.to_html(), _HEIGHT)

    def __repr__(self) -> str:
        """Tell what it is where nothing can be shown."""
        return f"Trajectories of {self.title}: save(url) writes a page to open in a browser"


def plot_trajectories(
    poses: Poses | storage.Url,
    *,
    video: storage.Url | None = None,
    frame: int | None = None,
    cutoff: float = 0.6,
    keypoints: Sequence[str] | None = None,
    theme: ThemeName = "light",
) -> Trajectories:
    """Show where every keypoint went: over a frame of the video, and against time.

    Pointing at a curve tells keypoint, frame, time and likelihood and marks the frame
    in all panels; a slider hides what is less likely; names show and hide keypoints and
    individuals in all panels. Everything happens in the browser, so it works the same in
    Colab, Jupyter, VS Code and a saved page, and without a kernel. Each figure brings
    about 2 MB of code with it: a notebook's page cannot be relied on to hold it already.

    Parameters
    ----------
    poses : Poses, str or PathLike
        Or the folder or table they lie in, as `load_poses` takes it.
    video : str or PathLike, optional
        The video they belong to; by default the one that they were found in. Where that
        is gone, the paths lie on plain paper.
    frame : int, optional
        Which of its frames lies below the paths; by default the first that was analyzed.
    cutoff : float, optional
        Points of a smaller likelihood are not shown at first. Points without a
        likelihood always are.
    keypoints : sequence of str, optional
        Those to show; all by default.
    theme : {"light", "dark"}, optional
        Look at first.

    Returns
    -------
    Trajectories
        Shows itself in a notebook; ``save`` writes a page for any browser, ``to_plotly``
        gives a figure of plotly to change.

    Raises
    ------
    InvalidInputError
        If `cutoff` is no likelihood or `keypoints` is empty.
    UnknownNameError
        If a keypoint or the theme does not exist.
    LabelError, AnalysisError
        If there are no poses at the URL, or they cannot be read.
    VideoError, StorageError
        If a video or frame that was asked for cannot be read.

    Examples
    --------
    >>> plot_trajectories("reach/poses/m3v1/first").save("m3v1.html")  # doctest: +SKIP
    """
    check_cutoff(cutoff)
    find_theme(theme)
    known = poses if isinstance(poses, Poses) else load_poses(poses)
    chosen = known if keypoints is None else _only(known, keypoints)
    source = source_video(known) if video is None else storage.resolve(video)
    index = _first(known) if frame is None else frame
    image, note = _ground(source, index, asked=video is not None or frame is not None)
    return Trajectories(chosen, image, _title(known, source), note, cutoff, theme)


def _only(poses: Poses, keypoints: Sequence[str]) -> Poses:
    """Return poses with some of their keypoints, in the order given."""
    if isinstance(keypoints, str) or not keypoints:
        raise InvalidInputError(
            f"Keypoints to show are a list of at least one name; got {keypoints!r}."
        )
    skeleton = poses.skeleton
    picked = [skeleton.index(name) for name in keypoints]
    edges = [(a, b) for a, b in skeleton.edge_names if a in keypoints and b in keypoints]
    unique = [name for name in skeleton.unique if name in keypoints]
    return replace(
        poses,
        positions=poses.positions[:, :, picked],
        likelihoods=poses.likelihoods[:, :, picked],
        skeleton=Skeleton.from_names(list(keypoints), edges, unique),
    )


def _first(poses: Poses) -> int:
    assert poses.frames is not None
    return int(poses.frames[0]) if len(poses) else 0


def _title(poses: Poses, source: str | None) -> str:
    if source is not None:
        return storage.name(source)
    told = poses.provenance.get("video")
    shown = told.get("url") if isinstance(told, dict) else None
    if isinstance(shown, str):
        return storage.name(shown)
    return "Trajectories" if poses.url is None else storage.name(poses.url)


def _ground(source: str | None, index: int, *, asked: bool) -> tuple[np.ndarray | None, str]:
    """Return a frame of a video and what it is; what nobody asked for may be lacking."""
    if source is None:
        if asked:
            raise VideoError(
                "A frame is shown of the video that the poses were found in; it is not at hand. "
                "Say where it lies: plot_trajectories(..., video='/where/it/lies.mp4')."
            )
        return None, "The video is not at hand."
    name = storage.name(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VideoWarning)  # one frame is enough
            with open_video(source) as video:
                return video[index], f"over frame {index} of {name}"
    except (VideoError, StorageError):
        if asked:
            raise
        return None, f"Frame {index} of {name} cannot be read."
