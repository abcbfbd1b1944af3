"""The gallery of labels as a widget, with the labeller behind it; and the verb."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from ipywidgets import HTML, HBox, VBox

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.core import FrameName, Labels
from posenb.errors import LabelWarning
from posenb.evaluation import Suspect
from posenb.project import Project, open_project
from posenb.views import draw_label_page
from posenb.widgets import label_moves as moves
from posenb.widgets.environment import enable_widgets
from posenb.widgets.gallery_desk import Desk
from posenb.widgets.gallery_looks import Glance
from posenb.widgets.gallery_state import doubts, found_right
from posenb.widgets.label_opening import open_labels
from posenb.widgets.label_state import LabelState
from posenb.widgets.label_view import LabelView
from posenb.widgets.look import icon_button, stylesheet

__all__ = ["LabelCheck", "check_labels"]


def _read(file: str) -> str:
    return Path(__file__).with_name(file).read_text(encoding="utf-8")


def check_labels(
    project: Project | storage.Url,
    *,
    videos: str | Sequence[str] | None = None,
    progress: Progress = tqdm_progress,
) -> LabelCheck:
    """Look for mistakes in the labels: what is doubtful comes first.

    In a notebook it is a gallery to flip through; a click opens the labeller at that frame.
    Elsewhere its `suspects` tell what is doubtful, and `LabelCheck.save` draws pages for
    any browser. How doubtful labels are found stands at `posenb.evaluation.find_suspects`:
    left and right swapped, keypoints far from the rest of the animal or from their usual
    place, limbs of odd length, labels that were copied, and images that come twice. What you
    find right is kept in ``notes/right.json`` of the project and not asked again for as long
    as the labels of that frame stay as they are.

    Parameters
    ----------
    project : Project, str or PathLike
        The project or its folder.
    videos : str or sequence of str, optional
        Whose frames; by default all that are labelled.
    progress : callable, optional
        Makes the progress bar; it counts images.

    Returns
    -------
    LabelCheck
        Shows itself in a notebook.

    Raises
    ------
    LabelError
        If there are no labels, or none of the images can be read.
    UnknownNameError
        If no frame of a video is labelled.
    StorageError
        If images cannot be fetched.

    Warns
    -----
    LabelWarning
        If images are gone or damaged; the others are checked.

    Examples
    --------
    >>> check = check_labels("gs://lab/reach")  # doctest: +SKIP
    >>> check.suspects[0].reason  # doctest: +SKIP
    'leftear and rightear seem swapped: ...'
    >>> check.save()  # doctest: +SKIP
    'gs://lab/reach/check-labels/index.html'
    """
    home = project if isinstance(project, Project) else open_project(project)
    names = (videos,) if isinstance(videos, str) else videos
    return LabelCheck(home, None if names is None else tuple(names), progress)


class _Gallery(anywidget.AnyWidget):
    """The gallery's page; messages go to the desk and back."""

    _esm = _read("elements.js") + _read("gallery.js")
    _css = stylesheet() + _read("gallery.css")

    view = traitlets.Dict().tag(sync=True)

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        super().__init__(view=desk.view())
        self.on_msg(self._hear)

    def show(self, answers: list[tuple[dict[str, Any], bytes]]) -> None:
        """Send pictures, and what the desk shows now."""
        for told, picture in answers:
            self.send(told, [picture] if picture else None)
        self.view = self._desk.view()

    def _hear(self, _: Any, message: dict[str, Any], _buffers: list[Any]) -> None:
        self.show(self._desk.handle(message))


class LabelCheck:
    """Labels and what is doubtful about them; made by `check_labels`.

    Parameters
    ----------
    project : Project
    videos : tuple of str or None
        Whose frames; None for all.
    progress : callable
        Makes the progress bar.
    """

    def __init__(
        self, project: Project, videos: tuple[str, ...] | None, progress: Progress
    ) -> None:
        self._project = project
        self._videos = videos
        self._gallery: _Gallery | None = None
        self._desk = Desk(project, videos, progress, self._fix, self._refresh)
        self._labeller: LabelView | None = None
        self._box: VBox | None = None

    @property
    def labels(self) -> Labels:
        """The labels that were checked."""
        return self._desk.labels

    @property
    def suspects(self) -> tuple[Suspect, ...]:
        """What is doubtful, the most doubtful first, but for what somebody found right."""
        return doubts(self._desk.state)

    @property
    def widget(self) -> VBox:
        """The gallery."""
        if self._box is None:
            self._gallery = _Gallery(self._desk)
            self._box = VBox([self._gallery])
            self._box.layout.overflow = "visible"
        return self._box

    def save(
        self,
        output: storage.Url | None = None,
        *,
        zoom: bool = True,
        progress: Progress = tqdm_progress,
    ) -> str:
        """Draw each frame with its labels, and a page to flip through the pictures.

        Parameters
        ----------
        output : str or PathLike, optional
            Folder for the files; ``check-labels/`` in the project by default. Pictures of
            before are replaced.
        zoom : bool, optional
            Show the part of each frame where the labels lie at large.
        progress : callable, optional
            Makes the progress bar; it counts frames.

        Returns
        -------
        str
            The page, ``<output>/index.html``; the pictures are ``<output>/<video>/<image>``.

        Raises
        ------
        StorageError
            If the folder cannot be written.
        """
        notes: dict[FrameName, str] = {}
        for each in self.suspects:
            notes[each.frame] = " ".join(filter(None, (notes.get(each.frame), each.reason)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LabelWarning)  # what is gone was told before
            return draw_label_page(
                self._project,
                videos=self._videos,
                output=output,
                zoom=zoom,
                notes=notes,
                progress=progress,
            ).page

    def __repr__(self) -> str:
        frames = len({each.frame for each in self.suspects})
        total = "1 frame" if len(self.labels) == 1 else f"{len(self.labels)} frames"
        right = len({each.frame for each in found_right(self._desk.state)})
        also = f", {right} found right" if right else ""
        lines = [f"{'/'.join(filter(None, each.frame))}: {each.reason}" for each in self.suspects]
        return "\n".join([f"LabelCheck of {total}, {frames} of them doubtful{also}", *lines])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        enable_widgets()
        display(self.widget)  # type: ignore[no-untyped-call]

    def _fix(self, frame: FrameName, suspects: tuple[Suspect, ...], look: Glance) -> None:
        """Show the labeller at a frame in the gallery's place."""
        assert self._gallery is not None
        state = open_labels(self._project, self._videos)
        if frame not in state.frames:
            return
        state = _near(_at(state, frame, suspects), look)
        self._labeller = LabelView(self._project, state)
        back = icon_button("left", "Save and go back to the gallery", "Back to the gallery")
        back.on_click(lambda _: self._back())
        bar = HBox([back, HTML(_reasons(suspects))])
        for name in ("pnb", "pnb-gallery-back"):
            bar.add_class(name)
        self.widget.children = (self._gallery, bar, self._labeller.widget)
        self._gallery.layout.display = "none"

    def _refresh(self) -> None:
        if self._gallery is not None:
            self._gallery.show([])

    def _back(self) -> None:
        """Show the gallery again, with what was corrected."""
        assert self._gallery is not None
        if self._labeller is None or not self._labeller.saver.flush():
            return  # the labeller says why it cannot save
        self._labeller.close()
        self._labeller = None
        self.widget.children = (self._gallery,)
        self._gallery.layout.display = None
        self._gallery.show(self._desk.reload())


def _at(state: LabelState, frame: FrameName, suspects: tuple[Suspect, ...]) -> LabelState:
    """Return the labeller's state at a frame, and there at the most doubtful keypoint."""
    there = replace(moves.go_to(state, state.frames.index(frame)), message="")
    named = [each for each in suspects if each.keypoints]
    if not named:
        return there
    first = named[0]
    animal = state.individuals.index(first.individual)
    return moves.choose_cell(there, state.skeleton.index(first.keypoints[0]), animal)


def _near(state: LabelState, look: Glance) -> LabelState:
    """Return the labeller's state with the labels at large."""
    shown = moves.show_image(state, look.size)
    left, top, width, height = look.box
    middle = left + width / 2, top + height / 2
    factor = min(look.size[0] / width, look.size[1] / height)
    closer = moves.zoom(shown, factor, *shown.viewport.to_canvas(*middle))
    u, v = closer.viewport.to_canvas(*middle)
    across, down = closer.viewport.canvas
    return moves.pan(closer, across / 2 - u, down / 2 - v)


def _reasons(suspects: tuple[Suspect, ...]) -> str:
    return " ".join(escape(each.reason) for each in suspects)
