"""Browsing poses as a widget: messages between the page and the desk, nothing more."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from posenb.core import Poses
from posenb.errors import InvalidInputError, ProjectError
from posenb.inference import load_poses
from posenb.plots.trajectories import check_cutoff
from posenb.project import Project
from posenb.storage import Url
from posenb.widgets.browse_desk import Desk
from posenb.widgets.browse_opening import Place, Source, find_place, find_source
from posenb.widgets.environment import enable_widgets
from posenb.widgets.label_view import LabelView, label
from posenb.widgets.look import stylesheet

__all__ = ["Browser", "browse"]

_PLOTS = ("recording.js", "drawing.js")
_OWN = (
    "elements.js",
    "browse_stage.js",
    "browse_timeline.js",
    "browse_player.js",
    "browse_layout.js",
    "browse.js",
)


def _read(package: str, *path: str) -> str:
    return files(package).joinpath(*path).read_text("utf-8")


class Browser(anywidget.AnyWidget):
    """Shows a video and its poses side by side; made by `browse`.

    Curves and points are drawn on canvases by the page itself: plotly's widget does not
    work in Colab, and with ipycanvas each line of a curve would travel. So the page has
    the poses, and asks only for pictures of the frames.

    Parameters
    ----------
    poses : Poses
    source : Source
        Their video.
    place : Place
        Where marked frames go.
    cutoff : float
        Least likelihood that is shown at first.
    """

    _esm = "\n".join(
        [
            *(_read("posenb.plots", "page", name) for name in _PLOTS),
            *(_read("posenb.widgets", name) for name in _OWN),
        ]
    )
    _css = stylesheet() + _read("posenb.widgets", "browse.css")

    view = traitlets.Dict().tag(sync=True)

    def __init__(self, poses: Poses, source: Source, place: Place, cutoff: float) -> None:
        self._desk = Desk(poses, source, place, cutoff)
        super().__init__(view=self._desk.view())
        self.on_msg(self._hear)

    @property
    def poses(self) -> Poses:
        """What is shown."""
        return self._desk.poses

    @property
    def marked(self) -> tuple[int, ...]:
        """The marked frames of the video, ascending."""
        return tuple(sorted(self._desk.state.marked))

    def label(self) -> LabelView:
        """Label the frames of this video, with these poses as a start.

        Returns
        -------
        LabelView
            A widget; a cell shows it when it is its last line.

        Raises
        ------
        ProjectError
            If there is no project that has the video, or no image in it yet.
        """
        place = self._desk.place
        if place.project is None or place.trouble:
            raise ProjectError(f"Frames are labelled in a project. {place.trouble}")
        return label(place.project, videos=[place.video], predictions={place.video: self.poses})

    def close(self) -> None:
        """End the widget and release the video."""
        self._desk.close()
        super().close()

    def _hear(self, _: Any, message: dict[str, Any], _buffers: list[Any]) -> None:
        for answer, buffers in self._desk.handle(message):
            self.send(answer, buffers or None)
        self.view = self._desk.view()


def browse(
    poses: Poses | Url,
    video: Url | None = None,
    *,
    project: Project | Url | None = None,
    cutoff: float = 0.6,
) -> Browser:
    """Look through poses in the notebook: the video and its trajectories side by side.

    A click in a curve shows that frame of the video, with keypoints and skeleton over it.
    Play, step, or hop between the frames that are most worth a look: those of the lowest
    likelihood, and those before which a point jumped farthest. Marked frames are taken
    into the project as images to be labelled, with the poses as a start; what lies there
    already stays as it is.

    Pictures come from the kernel, exactly the frame that was asked for, whatever the
    format of the video. While a cell runs, they wait; curves and points do not.

    Parameters
    ----------
    poses : Poses, str or PathLike
        Or the folder or table they lie in, as `load_poses` takes it.
    video : str or PathLike, optional
        The video they belong to; by default the one that they were found in. Where that
        is gone, the points move on plain paper.
    project : Project, str or PathLike, optional
        Where marked frames go; by default the project in whose folder the poses, or else
        the video, lie.
    cutoff : float, optional
        Points of a smaller likelihood are not shown at first. Points without a
        likelihood always are.

    Returns
    -------
    Browser
        A widget; a cell shows it when it is its last line. `marked` tells which frames
        are marked, and `label` labels them.

    Raises
    ------
    InvalidInputError
        If there is no frame in the poses, or `cutoff` is no likelihood.
    LabelError, AnalysisError
        If there are no poses at the URL, or they cannot be read.
    VideoError, StorageError
        If a video that was asked for cannot be read.
    ProjectError
        If a project that was asked for cannot be opened.

    Examples
    --------
    >>> pn.browse(poses)  # doctest: +SKIP
    >>> pn.browse("m3v1DLC_resnet50.h5", "m3v1.mp4")  # doctest: +SKIP
    """
    check_cutoff(cutoff)
    known = poses if isinstance(poses, Poses) else load_poses(poses)
    if not len(known):
        raise InvalidInputError(
            "Poses to browse have at least one frame; these have none. Analyze a range of frames "
            "that lies in the video."
        )
    source = find_source(known, video)
    place = find_place(known, source, project)
    enable_widgets()
    return Browser(known, source, place, cutoff)
