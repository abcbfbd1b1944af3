"""The list of keypoints beside the canvas: which is next, what is said, how often."""

from __future__ import annotations

from collections.abc import Callable

from ipywidgets import Button, HBox, Label, VBox, Widget

from posenb.core import Visibility
from posenb.plots.theme import LIGHT
from posenb.widgets.label_moves import keypoint_counts
from posenb.widgets.label_state import LabelState, Points, owner, suggested

__all__ = ["PANEL_CSS", "KeypointList", "dress"]

_STATES = ("pnb-said", "pnb-hidden", "pnb-absent", "pnb-suggested")

PANEL_CSS = """
.pnb .pnb-list { display: grid; grid-template-columns: repeat(auto-fill, minmax(158px, 1fr));
  gap: 2px 6px; overflow: auto; max-height: 420px; align-content: start; }
.pnb .pnb-row { display: grid; grid-template-columns: minmax(0, 1fr) auto; align-items: center;
  position: relative; overflow: hidden; }
.pnb .pnb-row .jupyter-button { grid-area: 1 / 1 / 2 / 3; width: 100%; height: 28px;
  padding: 0 44px 0 8px; justify-content: flex-start; background: transparent;
  border-color: transparent; gap: 8px; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.pnb .pnb-row .jupyter-button:hover { background: var(--raised); }
.pnb .pnb-row .jupyter-button.pnb-on { background: var(--raised); border-color: var(--accent);
  color: var(--ink); font-weight: 600; }
.pnb .pnb-row .widget-label { grid-area: 1 / 2; pointer-events: none; z-index: 1; width: auto;
  height: auto; margin: 0; padding: 0 8px 0 0; font-size: 12px; color: var(--muted);
  font-variant-numeric: tabular-nums; }
.pnb .pnb-row .jupyter-button::before { content: ""; width: 12px; height: 12px;
  flex: 0 0 12px; border-radius: 50%; border: 2px solid var(--dot);
  box-shadow: 0 0 0 1px var(--halo); }
.pnb .pnb-row .pnb-said::before { background: var(--dot); }
.pnb .pnb-row .pnb-hidden::before {
  background: radial-gradient(var(--dot) 0 2px, transparent 2.5px); }
.pnb .pnb-row .pnb-absent::before { border-radius: 0; height: 0; border-width: 1.5px 0 0 0; }
.pnb .pnb-row .pnb-suggested::before { border-style: dashed; }
"""
PANEL_CSS += "".join(
    f".pnb .pnb-dot-{n} {{ --dot: {colour}; }}\n" for n, colour in enumerate(LIGHT.keypoints)
)


class KeypointList:
    """A button for each keypoint.

    Parameters
    ----------
    state : LabelState
    choose : callable
        Receives the index of the keypoint that was clicked.
    """

    def __init__(self, state: LabelState, choose: Callable[[int], None]) -> None:
        self._buttons: list[Button] = []
        self._counts: list[Label] = []
        self._counted: tuple[Points, ...] = ()
        self._totals = keypoint_counts(state)
        rows = []
        for k, name in enumerate(state.skeleton.keypoints):
            button = Button(description=name, tooltip=name)
            button.on_click(lambda _, k=k: choose(k))
            count = Label("")
            row = HBox([button, count])
            row.add_class("pnb-row")
            self._buttons.append(button)
            self._counts.append(count)
            rows.append(row)
        self.widget = VBox(rows)
        self.widget.add_class("pnb-list")

    def show(self, state: LabelState) -> None:
        """Show what is said of each keypoint of the current animal."""
        if state.points is not self._counted:
            self._counted, self._totals = state.points, keypoint_counts(state)
        waiting = suggested(state)
        colours = len(LIGHT.keypoints)
        for k, button in enumerate(self._buttons):
            cell = owner(state, state.individual, k)
            dress(button, "pnb-on", on=state.keypoint == k)
            now = _state_class(state, cell, suggested=bool(waiting[cell]))
            for name in _STATES:
                dress(button, name, on=name == now)
            by_keypoint = state.look.colour_by == "keypoint"
            number = (k if by_keypoint else cell[0]) % colours
            for n in range(colours):
                dress(button, f"pnb-dot-{n}", on=n == number)
            self._counts[k].value = str(self._totals[cell])


def dress(widget: Widget, name: str, *, on: bool) -> None:
    """Give a widget a class, or take it away; nothing is sent where nothing changes."""
    if on != (name in widget._dom_classes):
        (widget.add_class if on else widget.remove_class)(name)


def _state_class(state: LabelState, cell: tuple[int, int], *, suggested: bool) -> str:
    seen = state.here.visibility[cell]
    if seen == Visibility.VISIBLE:
        return "pnb-said"
    if seen == Visibility.OCCLUDED:
        return "pnb-hidden" if state.here.placed[cell] else "pnb-absent"
    return "pnb-suggested" if suggested else ""
