"""The labeller: events of the browser in, a drawn state out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from posenb.errors import PosenbError
from posenb.project import Project, open_project
from posenb.storage import Url
from posenb.widgets import label_edits as edits
from posenb.widgets import label_moves as moves
from posenb.widgets.environment import enable_widgets
from posenb.widgets.label_actions import do_for_key
from posenb.widgets.label_controls import Controls
from posenb.widgets.label_images import Pictures
from posenb.widgets.label_notes import changes, read_notes
from posenb.widgets.label_opening import Predictions, open_labels
from posenb.widgets.label_others import Conflict
from posenb.widgets.label_saving import Saver
from posenb.widgets.label_stage import Stage
from posenb.widgets.label_state import Cell, LabelState
from posenb.widgets.label_status import Status, next_conflicts
from posenb.widgets.notes import Notes

__all__ = ["LabelView", "label"]

_REACH = 6.0  # CSS pixels beyond the rim of a point within which it is meant
_STILL = 3.0  # CSS pixels within which a press and its release are a click
_BESIDE = 8.0  # CSS pixels outside the image that still mean its border
_WHEEL = 0.0016  # one notch of a wheel, 100 to 120, magnifies by a fifth
_WHEEL_MOST = 400.0
_LOWEST = 260.0  # CSS pixels
_AROUND = 290.0  # CSS pixels of a window that the notebook and the controls take
_HALF = 0.5  # browsers tell whole CSS pixels: the upper left corner of the one pointed at


@dataclass(frozen=True, slots=True)
class _Press:
    """Where the mouse went down, in CSS pixels, and whether it has moved since.

    Where it went down on a point, `cell` is that point, and `grip` the way from the mouse
    to it in pixels of the image.
    """

    u: float
    v: float
    cell: Cell | None = None
    grip: tuple[float, float] = (0.0, 0.0)
    moved: bool = False


def label(
    project: Project | Url,
    *,
    videos: Sequence[str] | None = None,
    predictions: Predictions | None = None,
) -> LabelView:
    """Label frames in the notebook.

    Click places the current keypoint and goes on to the next; drag moves a point, or the
    image where there is none; the wheel zooms at the cursor. The button ``?`` lists the
    rest. Every step is saved at once into the project's tables, in DeepLabCut's layout.
    Several people, or windows, may label the same project at the same time: each sees what
    the others save, and is told where somebody changed what they had saved.

    Parameters
    ----------
    project : Project, str or PathLike
        A project or its URL. Its frames are the images in ``labeled-data/``.
    videos : sequence of str, optional
        Names of the videos whose frames to label; by default all that have any.
    predictions : Run, str or mapping of str to Poses, optional
        Where a model sees the keypoints, as a start: a run of the project or its name,
        whose poses lie in the project, or poses by the name of the video, in pixels of the
        whole video. They become labels when they are accepted or corrected; those that
        are deleted stay deleted, also for the next time.

    Returns
    -------
    LabelView
        Shows itself in a notebook.

    Raises
    ------
    ProjectError
        If there is no frame to label.
    UnknownNameError
        If a video or run is not known.
    """
    opened = project if isinstance(project, Project) else open_project(project)
    return LabelView(opened, open_labels(opened, videos, predictions))


class LabelView:
    """The labeller as a widget; made by `label`.

    Parameters
    ----------
    project : Project
    state : LabelState
        What to label, as `open_labels` returns it.
    """

    def __init__(self, project: Project, state: LabelState) -> None:
        # Without suggestions there is nothing to note, and no file to read.
        self._notes = Notes(project.notes_url("declined")) if state.suggestions else None
        state = state if self._notes is None else read_notes(state, self._notes.found)
        self.state = state
        self.saver = Saver(project, state)
        self._scorer = project.scorer
        self._pictures = Pictures(project, state.frames)
        self._conflicts: tuple[Conflict, ...] = ()
        self._press: _Press | None = None
        self._cursor = (0.0, 0.0)
        self._near: tuple[int, ...] = ()
        self._stage = Stage(state.viewport.canvas)
        self._controls = Controls(
            state,
            self._stage.canvas,
            do=self._do,
            choose=lambda k: self._do(lambda s: moves.choose_cell(s, k)),
            status=Status(self._take_back, self._leave, self._show_conflict, self._retry),
        )
        self.widget = self._controls.widget
        self._listen()
        self._show_frame()
        self._refresh()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        enable_widgets()
        display(self.widget)  # type: ignore[no-untyped-call]

    def close(self) -> bool:
        """Save what waits and end the work; return whether all is saved."""
        saved = self.saver.close()
        if self._notes is not None:
            self._notes.close()
        return saved

    def _listen(self) -> None:
        canvas = self._stage.canvas
        canvas.on_mouse_down(self._on_down)
        canvas.on_mouse_move(self._on_move)
        canvas.on_mouse_up(self._on_up)
        canvas.on_mouse_out(self._on_out)
        canvas.on_mouse_wheel(self._on_wheel)
        canvas.on_touch_start(lambda touches: self._on_down(*touches[0]))
        canvas.on_touch_move(lambda touches: self._on_move(*touches[0]))
        canvas.on_touch_end(lambda touches: None if touches else self._release(*self._cursor))
        canvas.on_key_down(self._on_key)
        canvas.on_client_ready(self._on_ready)
        self._controls.guard.on_msg(self._on_guard)

    # What happens in the browser

    def _on_down(self, x: float, y: float) -> None:
        u, v = self._cursor = self._where(x, y)
        if self._press is not None:  # its release never came, as after a menu was opened
            self._step(edits.let_go)
        x, y = self.state.viewport.to_image(u, v)
        reach = (self.state.look.size + _REACH) / self.state.viewport.scale
        cell = None if self.state.broken else edits.point_at(self.state, x, y, reach)
        held = None if cell is None else edits.grab(self.state, cell).held
        grip = (0.0, 0.0) if held is None else (held.position[0] - x, held.position[1] - y)
        self._press = _Press(u, v, cell, grip)

    def _on_move(self, x: float, y: float) -> None:
        before, (u, v) = self._cursor, self._where(x, y)
        self._cursor = (u, v)
        press = self._press
        if press is None:
            self._send_ahead()
            self._refresh_status()
            return
        if not press.moved:
            if max(abs(u - press.u), abs(v - press.v)) <= _STILL:
                return
            before = (press.u, press.v)
            self._press = replace(press, moved=True)
        if press.cell is None:
            self._step(lambda state: moves.pan(state, u - before[0], v - before[1]))
            return
        cell = press.cell
        if self.state.held is None:
            self._step(lambda state: edits.grab(state, cell))
        x, y = self.state.viewport.to_image(u, v)
        self._step(lambda state: edits.drag_to(state, x + press.grip[0], y + press.grip[1]))

    def _on_up(self, x: float, y: float) -> None:
        self._release(*self._where(x, y))

    def _on_out(self, x: float, y: float) -> None:
        if self._press is not None and self._press.moved:
            self._release(*self._where(x, y))
        self._press = None

    def _release(self, u: float, v: float) -> None:
        press, self._press = self._press, None
        if press is None:
            return
        if press.moved:
            self._step(edits.drop)
            return
        if press.cell is not None and self.state.here.said[self.state.cell]:
            i, k = press.cell
            self._step(lambda state: moves.choose_cell(state, k, i))
            return
        self._place(u, v)

    def _place(self, u: float, v: float) -> None:
        viewport = self.state.viewport
        left, top = viewport.to_canvas(-0.5, -0.5)
        right, bottom = viewport.to_canvas(viewport.image[0] - 0.5, viewport.image[1] - 0.5)
        inside = left - _BESIDE <= u <= right + _BESIDE and top - _BESIDE <= v <= bottom + _BESIDE
        if inside:
            x, y = viewport.to_image(u, v)
            self._step(lambda state: edits.place(state, x, y))

    def _on_wheel(self, _dx: float, dy: float) -> None:
        factor = math.exp(-_WHEEL * max(-_WHEEL_MOST, min(_WHEEL_MOST, dy)))
        u, v = self._cursor
        self._step(lambda state: moves.zoom(state, factor, u, v))

    def _on_key(self, key: str, shift: bool, control: bool, meta: bool) -> None:
        if key == "?":
            self._controls.toggle_help()
            return
        if key == "Escape":
            self._press = None
            self._step(edits.let_go)
            return
        do = do_for_key(key, shift=shift, control=control or meta)
        if do is not None:
            self._do(do)

    def _on_ready(self) -> None:
        self._stage.forget()
        self._show_frame()
        self._refresh()

    def _on_guard(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("kind") == "room":
            self._fit_room(content["width"], content["height"], content["ratio"])
        if content.get("kind") == "look":
            self.saver.look(self.state.frame)
        self._send_ahead()
        self._refresh_status()
        if self.saver.looking or self.saver.status.kind != "saved":
            self._controls.guard.send({"kind": "wake"})

    # What follows

    def _where(self, x: float, y: float) -> tuple[float, float]:
        """Return the CSS pixel, by its middle, that lies at a pixel of the canvas's buffer."""
        return x / self._stage.ratio + _HALF, y / self._stage.ratio + _HALF

    def _do(self, do: Callable[[LabelState], LabelState]) -> None:
        """Do a step that buttons and keys name, unless the mouse is at one."""
        if self._press is None:
            self._step(do)

    def _step(self, do: Callable[[LabelState], LabelState]) -> None:
        """Go to the next state, draw what is different, save what is new."""
        before, after = self.state, do(self.state)
        self.state = after
        if after.frame != before.frame:
            self.saver.hurry()
            self.saver.look(after.frame)
            self._show_frame()
        elif after.viewport != before.viewport or _tones(after) != _tones(before):
            self._stage.draw_all(after)
        elif after.held is not None and before.held is not None:
            self._stage.draw_held(after)
            return
        else:
            self._stage.draw_points(after)
        if self.state.points is not before.points:
            self.saver.submit(self.state)
            self._note(before, after)
        if self._press is None or not self._press.moved:
            self._refresh()

    def _note(self, before: LabelState, after: LabelState) -> None:
        """Keep for the next time which suggestions were deleted by a step."""
        if self._notes is not None:
            self._notes.change(changes(before, after))

    def _show_frame(self) -> None:
        """Show the image of the current frame, and fetch those that may come next."""
        n = self.state.frame
        empty = moves.next_unfinished(self.state).frame
        self._pictures.prefetch((n, n + 1, empty, n - 1, n + 2))
        near = (n, n + 1, empty, n - 1)
        self._near = tuple(other for other in near if 0 <= other < len(self.state.frames))
        try:
            picture = self._pictures.get(n)
        except PosenbError as error:
            self.state = moves.show_broken(self.state, str(error))
        else:
            self.state = moves.show_image(self.state, picture.size)
            if not self._stage.holds(n):
                self._stage.load(n, picture, keep=self._near)
        self._stage.draw_all(self.state)
        self._controls.show_broken(self.state.broken)
        self._send_ahead()

    def _send_ahead(self) -> None:
        """Let the browser decode a frame that may come next, if one is here and it has not."""
        for n in self._near:
            picture = None if self._stage.holds(n) else self._pictures.ready(n)
            if picture is not None:
                self._stage.load(n, picture, keep=self._near)
                return

    def _fit_room(self, width: float, height: float, ratio: float) -> None:
        w, h = self.state.viewport.image
        tall = max(_LOWEST, height - _AROUND)
        size = (float(width), float(round(min(tall, width * h / w))))
        if size == self.state.viewport.canvas and ratio == self._stage.ratio:
            return
        self._stage.resize(size, ratio)
        self.state = moves.resize_canvas(self.state, size)
        self._stage.draw_all(self.state)

    def _refresh(self) -> None:
        self._controls.show(self.state)
        self._refresh_status()

    def _refresh_status(self) -> None:
        """Take in what the saving brought, and tell how it stands."""
        if self._press is None:  # else a point could change while it is dragged
            merged, conflicts = self.saver.adopt(self.state)
            if any(a is not b for a, b in zip(merged.points, self.state.points, strict=True)):
                self.state = merged
                self._stage.draw_points(merged)
                self._controls.show(merged)
            self._conflicts += conflicts
        status = self._controls.status
        status.show_conflicts(self._conflicts, self.state)
        status.show_saving(self.saver.status, self.state, self._scorer)
        status.show_fault("" if self._notes is None else self._notes.fault)
        self._controls.show_name(self.state)

    def _take_back(self) -> None:
        told = self._pass_over()
        if told:
            lost = {each.cell: each.lost for each in told}
            self._step(lambda state: edits.take_back(state, told[0].frame, lost))

    def _leave(self, everything: bool) -> None:
        self._pass_over(everything)
        self._refresh_status()

    def _show_conflict(self) -> None:
        told = next_conflicts(self._conflicts)
        if told:
            n, (i, k) = self.state.frames.index(told[0].frame), told[0].cell
            self._do(lambda state: moves.choose_cell(moves.go_to(state, n), k, i))

    def _pass_over(self, everything: bool = False) -> tuple[Conflict, ...]:
        """Take the conflicts that are told, or all, off the list and return them."""
        told = self._conflicts if everything else next_conflicts(self._conflicts)
        self._conflicts = tuple(each for each in self._conflicts if each not in told)
        return told

    def _retry(self) -> None:
        self.saver.hurry()
        self._refresh_status()


def _tones(state: LabelState) -> tuple[float, float]:
    return state.look.brightness, state.look.contrast
