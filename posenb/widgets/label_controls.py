"""Buttons, sliders and lists around the canvas of the labeller."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from ipycanvas import MultiCanvas
from ipywidgets import HTML, Button, Dropdown, FloatSlider, HBox, Text, VBox

from posenb.widgets import label_moves as moves
from posenb.widgets.label_actions import ACTIONS, Do, help_html
from posenb.widgets.label_guard import Guard
from posenb.widgets.label_panel import PANEL_CSS, KeypointList, dress
from posenb.widgets.label_state import LabelState, Look
from posenb.widgets.label_status import STATUS_CSS, Status
from posenb.widgets.look import icon_button, style_tag

__all__ = ["Controls"]

_GO_TO = "Go to: a position in the queue, an image's name, or # and a frame's number in its video"

_CSS = """
.pnb.pnb-labeller { display: flex; flex-flow: column; gap: var(--gap); padding: 4px 2px;
  max-width: 1400px; }
.pnb .pnb-tools { display: flex; flex-flow: row wrap; gap: 6px; align-items: center; }
.pnb .pnb-group { display: flex; flex-flow: row nowrap; gap: 2px; align-items: center; }
.pnb .pnb-name { flex: 1 1 70px; width: auto; min-width: 0; overflow: hidden; }
.pnb .pnb-name .widget-html-content { overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.pnb .pnb-main { display: flex; flex-flow: row wrap; gap: 12px; align-items: flex-start; }
.pnb .pnb-stage { flex: 999 1 400px; min-width: 0; width: auto; gap: 6px; }
.pnb .pnb-stage canvas { cursor: crosshair; background: var(--raised); margin: 0;
  border-radius: var(--radius); display: block; }
.pnb .pnb-side { flex: 1 1 250px; width: auto; display: flex; flex-flow: row wrap; gap: 8px;
  align-content: flex-start; }
.pnb .pnb-side > .pnb-list, .pnb .pnb-side > .pnb-animals { flex: 1 1 100%; width: auto; }
.pnb .pnb-animals .widget-dropdown { flex: 1 1 60px; width: auto; margin: 0 4px 0 0; }
.pnb .pnb-number { width: 58px; margin: 0; }
.pnb .pnb-number:focus-within { width: 118px; }
.pnb .pnb-number input { width: 100%; text-align: right; font-variant-numeric: tabular-nums; }
.pnb .pnb-box { padding: 10px 12px; background: var(--raised); border-radius: var(--radius); }
.pnb .pnb-options { flex-flow: row wrap; gap: 6px 18px; align-items: center; }
.pnb .pnb-options .widget-slider { width: 250px; height: 30px; align-items: center; }
.pnb .pnb-options .widget-label { width: 72px; flex: 0 0 auto; text-align: left; height: auto; }
.pnb .pnb-options .widget-readout { width: 40px; min-width: 40px; text-align: right; height: auto;
  color: var(--muted); }
.pnb .pnb-help { columns: 270px; column-gap: 24px; max-height: 400px; overflow: auto; }
.pnb .pnb-help p { display: grid; grid-template-columns: 106px minmax(0, 1fr); gap: 8px;
  align-items: baseline; margin: 0 0 3px; break-inside: avoid; line-height: 1.35; }
.pnb .pnb-help b { font-weight: 500; color: var(--ink); }
.pnb .pnb-help p > span { color: var(--muted); }
"""


class Controls:
    """Everything of the labeller but the drawing.

    Parameters
    ----------
    state : LabelState
    canvas : MultiCanvas
        Where the drawing is.
    do : callable
        Receives the step that a button stands for.
    choose : callable
        Receives the index of the keypoint that was chosen in the list.
    status : Status
    """

    def __init__(
        self,
        state: LabelState,
        canvas: MultiCanvas,
        *,
        do: Callable[[Do], None],
        choose: Callable[[int], None],
        status: Status,
    ) -> None:
        self._do = do
        self._shown: LabelState | None = None
        self._listening = True
        self.guard = Guard()
        self.guard.add_class("pnb-away")
        self.status = status
        self._buttons = {name: self._button(name) for name in ACTIONS}
        self._frame = Text(value="1", continuous_update=False)
        if self._frame.has_trait("tooltip"):  # since ipywidgets 8
            self._frame.tooltip = _GO_TO
        self._frame.add_class("pnb-number")
        self._frame.observe(self._on_frame, "value")
        self._name = HTML()
        self._name.add_class("pnb-name")
        self._list = KeypointList(state, choose)
        several = len(state.individuals) > 1
        self._animal = Dropdown(
            options=[(name, i) for i, name in enumerate(state.individuals)], value=0
        )
        self._animal.observe(self._on_animal, "value")
        self._help = HTML(help_html())
        self._broken = HTML()
        self._display = self._display_box(several)
        for box in (self._help, self._display, self._broken):
            box.add_class("pnb-box")
            box.layout.display = "none"
        stage = VBox([canvas, self.status.widget])
        stage.add_class("pnb-stage")
        main = HBox([stage, self._side(several)])
        main.add_class("pnb-main")
        self.widget = VBox(
            [
                style_tag(_CSS + PANEL_CSS + STATUS_CSS),
                self.guard,
                self._tools(),
                self._help,
                self._display,
                self._broken,
                main,
                self.status.progress,
            ]
        )
        for name in ("pnb", "pnb-labeller"):
            self.widget.add_class(name)

    def show(self, state: LabelState) -> None:
        """Show a state; what is the same as before is left alone."""
        before, self._shown = self._shown, state
        self._listening = False
        self._frame.value = str(state.frame + 1)
        self._animal.value = state.individual
        self._listening = True
        self.show_name(state)
        self._list.show(state)
        self._buttons["undo"].disabled = not state.past
        self._buttons["redo"].disabled = not state.future
        self._buttons["stride"].description = f"{state.stride:.0f} px"
        for name, on in (
            ("through", state.through),
            ("names", state.look.names),
            ("skeleton", state.look.skeleton),
            ("colours", state.look.colour_by == "individual"),
        ):
            dress(self._buttons[name], "pnb-on", on=on)
        has_suggestions = "flex" if state.suggestions else "none"
        for name in ("accept", "accept-all"):
            self._buttons[name].layout.display = has_suggestions
        self.status.show_message(state)
        if before is None or before.points is not state.points or before.frame != state.frame:
            self.status.show_progress(state)

    def show_name(self, state: LabelState) -> None:
        """Show the name of the frame, and before it what is urgent."""
        name = escape("/".join(part for part in state.frames[state.frame] if part))
        urgent = self.status.urgent
        told = f'<span class="pnb-bad">⚠ {urgent}</span>&ensp;' if urgent else ""
        of = f'<span class="pnb-muted">of {len(state.frames)}</span>&ensp;{name}'
        self._name.value = f'<span title="{name}">{told}{of}</span>'

    def show_broken(self, reason: str) -> None:
        """Tell why the image cannot be shown; nothing where it can."""
        self._broken.layout.display = "flex" if reason else "none"
        self._broken.value = f'<span class="pnb-bad">{escape(reason)}</span>'

    def toggle_help(self) -> None:
        """Show the help, or hide it."""
        _toggle(self._help, self._help_button)

    def _button(self, name: str) -> Button:
        action = ACTIONS[name]
        keys = " or ".join(action.keys[:2])
        tooltip = f"{action.text} ({keys})"
        texts = {"hidden": "Hidden", "absent": "Not in frame"}
        texts |= {"through": "Through all frames", "stride": "1 px"}
        texts |= {"names": "Names", "skeleton": "Skeleton", "colours": "Colour by animal"}
        if name == "stride":
            button = Button(description=texts[name], tooltip=tooltip)
        else:
            button = icon_button(action.icon, tooltip, texts.get(name, ""))
        button.on_click(lambda _: self._do(action.do))
        return button

    def _tools(self) -> HBox:
        self._help_button = icon_button("help", "Help (?)")
        self._help_button.on_click(lambda _: self.toggle_help())
        display = icon_button("display", "How frames and points are shown")
        display.on_click(lambda _: _toggle(self._display, display))
        tools = HBox(
            [
                _group(self._buttons["previous"], self._frame, self._buttons["next"]),
                self._buttons["next-empty"],
                self._name,
                self._named_group("undo", "redo"),
                self._named_group("zoom-out", "fit", "zoom-in"),
                self._named_group("copy", "accept", "accept-all"),
                _group(display, self._help_button),
            ]
        )
        tools.add_class("pnb-tools")
        return tools

    def _side(self, several: bool) -> VBox:
        parts: list[Any] = []
        if several:
            animals = _group(
                self._animal, *(self._buttons[name] for name in ("animal", "add", "swap"))
            )
            animals.add_class("pnb-animals")
            parts.append(animals)
        parts += [
            self._list.widget,
            self._named_group("hidden", "absent", "delete"),
            self._named_group("left", "up", "down", "right", "stride"),
            self._named_group("through"),
        ]
        side = VBox(parts)
        side.add_class("pnb-side")
        return side

    def _display_box(self, several: bool) -> HBox:
        toggles = self._named_group(*("names", "skeleton", *(["colours"] if several else [])))
        self._sliders = {
            "size": self._slider("Point size", "size", 2.0, 12.0, 0.5),
            "brightness": self._slider("Brightness", "brightness", -1.0, 1.0, 0.05),
            "contrast": self._slider("Contrast", "contrast", -1.0, 1.0, 0.05),
        }
        plain = Button(description="As recorded", tooltip="Brightness and contrast of the file")
        plain.on_click(lambda _: self._set_tones_back())
        box = HBox([toggles, *self._sliders.values(), plain])
        box.add_class("pnb-options")
        return box

    def _set_tones_back(self) -> None:
        for name in ("brightness", "contrast"):
            self._sliders[name].value = 0.0

    def _slider(self, text: str, field: str, low: float, high: float, step: float) -> FloatSlider:
        slider = FloatSlider(getattr(Look(), field), min=low, max=high, step=step, description=text)
        slider.observe(
            lambda change: self._do(lambda s: moves.set_look(s, **{field: change["new"]})), "value"
        )
        return slider

    def _named_group(self, *names: str) -> HBox:
        return _group(*(self._buttons[name] for name in names))

    def _on_frame(self, change: dict[str, Any]) -> None:
        if self._listening:
            self._do(lambda state: moves.find_frame(state, change["new"]))

    def _on_animal(self, change: dict[str, Any]) -> None:
        if self._listening:
            self._do(lambda state: moves.choose_individual(state, change["new"]))


def _group(*children: Any) -> HBox:
    box = HBox(children)
    box.add_class("pnb-group")
    return box


def _toggle(box: Any, button: Button) -> None:
    hidden = box.layout.display == "none"
    box.layout.display = "flex" if hidden else "none"
    dress(button, "pnb-on", on=hidden)
