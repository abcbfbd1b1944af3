"""Browsing poses as a widget, with the labeller behind it; and the verb."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import Any

import anywidget
import traitlets
from ipywidgets import HTML, HBox, VBox

from posenb.core import FrameName, Poses
from posenb.errors import InvalidInputError, ProjectError
from posenb.inference import load_poses
from posenb.plots.trajectories import check_cutoff
from posenb.project import Project
from posenb.storage import Url
from posenb.widgets.browse_desk import Desk
from posenb.widgets.browse_opening import Place, Source, find_place, find_source
from posenb.widgets.browse_state import chosen
from posenb.widgets.environment import enable_widgets
from posenb.widgets.label_opening import open_labels
from posenb.widgets.label_view import LabelView
from posenb.widgets.look import icon_button, stylesheet

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


class _Page(anywidget.AnyWidget):
    """The page of the browser; messages go to the desk and back.

    Curves and points are drawn on canvases by the page itself: plotly's widget does not
    work in Colab, and with ipycanvas each line of a curve would travel. So the page has
    the poses, and asks only for pictures of the frames.
    """

    _esm = "\n".join(
        [
            *(_read("posenb.plots", "page", name) for name in _PLOTS),
            *(_read("posenb.widgets", name) for name in _OWN),
        ]
    )
    _css = stylesheet() + _read("posenb.widgets", "browse.css")

    view = traitlets.Dict().tag(sync=True)

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        super().__init__(view=desk.view())
        self.on_msg(self._hear)

    def refresh(self) -> None:
        """Show what the desk knows now."""
        self.view = self._desk.view()

    def _hear(self, _: Any, message: dict[str, Any], _buffers: list[Any]) -> None:
        for answer, buffers in self._desk.handle(message):
            self.send(answer, buffers or None)
        self.refresh()


class Browser:
    """Shows a video and its poses side by side; made by `browse`.

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

    def __init__(self, poses: Poses, source: Source, place: Place, cutoff: float) -> None:
        self._page: _Page | None = None
        self._labeller: LabelView | None = None
        self._desk = Desk(
            poses, source, place, cutoff, label=self._show_labeller, on_fault=self._refresh
        )
        self._page = _Page(self._desk)
        self._box = VBox([self._page])
        self._box.layout.overflow = "visible"

    @property
    def poses(self) -> Poses:
        """What is shown."""
        return self._desk.poses

    @property
    def marked(self) -> tuple[int, ...]:
        """The marked frames of the video, ascending."""
        return tuple(sorted(self._desk.state.marked))

    @property
    def widget(self) -> VBox:
        """What a notebook shows."""
        return self._box

    def label(self) -> LabelView:
        """Label the marked frames that lie in the project, with these poses as a start.

        Where none does, all images of this video.

        Returns
        -------
        LabelView
            A widget; a cell shows it when it is its last line.

        Raises
        ------
        ProjectError
            If there is no project that has the video, or no image in it yet.
        """
        if self._desk.place.project is None or self._desk.place.trouble:
            raise ProjectError(f"Frames are labelled in a project. {self._desk.place.trouble}")
        self._desk.reload()
        return self._open(chosen(self._desk.state) or None)

    def close(self) -> None:
        """End the widget, once marks and labels are kept, and release the video."""
        if self._labeller is not None:
            self._labeller.close()
        self._desk.close()
        self._box.close()

    def __repr__(self) -> str:
        marked = f", marked: {', '.join(map(str, self.marked))}" if self.marked else ""
        return f"Browser of {self._desk.source.title}, {len(self.poses)} frames{marked}"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        enable_widgets()
        display(self._box)  # type: ignore[no-untyped-call]

    def _refresh(self) -> None:
        if self._page is not None:
            self._page.refresh()

    def _open(self, images: tuple[FrameName, ...] | None) -> LabelView:
        place = self._desk.place
        assert place.project is not None
        poses = {place.video: self.poses}
        return LabelView(
            place.project, open_labels(place.project, [place.video], poses, only=images)
        )

    def _show_labeller(self, images: tuple[FrameName, ...]) -> None:
        """Show the labeller in the page's place."""
        assert self._page is not None
        if self._labeller is not None:
            return  # the button was clicked twice
        self._labeller = self._open(images)
        back = icon_button("left", "Save and go back to video and curves", "Back to the curves")
        back.on_click(lambda _: self._back())
        count = "1 marked frame" if len(images) == 1 else f"{len(images)} marked frames"
        bar = HBox([back, HTML(f"{count} of {escape(self._desk.source.title)}")])
        for name in ("pnb", "pnb-br-back"):
            bar.add_class(name)
        self._box.children = (self._page, bar, self._labeller.widget)
        self._page.layout.display = "none"

    def _back(self) -> None:
        """Show the page again, with what was labelled."""
        assert self._page is not None
        if self._labeller is None or not self._labeller.saver.flush():
            return  # the labeller says why it cannot save
        self._labeller.close()
        self._labeller = None
        self._box.children = (self._page,)
        self._page.layout.display = None
        self._desk.reload()
        self._page.refresh()


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
    into the project as images and labelled, with the poses as a start; what lies there
    already stays as it is. Marks are kept in ``notes/relabel.json`` of the project until
    their frames are labelled, so that one goes on where a kernel was lost.

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
        Shows itself in a notebook. `marked` tells which frames are marked, and `label`
        labels them.

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
    return Browser(known, source, place, cutoff)
