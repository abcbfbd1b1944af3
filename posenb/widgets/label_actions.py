"""What can be done in the labeller: each with a button, a key and a line of help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape

from posenb.widgets import label_edits as edits
from posenb.widgets import label_moves as moves
from posenb.widgets.label_state import LabelState

__all__ = ["ACTIONS", "Action", "do_for_key", "help_html"]

_ZOOM_STEP = 1.5
_LARGE_STEP = 10

Do = Callable[[LabelState], LabelState]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.

    Parameters
    ----------
    icon : str
        One of `look.ICONS`.
    text : str
        What it does, as a phrase.
    keys : tuple of str
        As browsers name them, after ``Ctrl+`` where Ctrl or Cmd is held. Letters are
        small, whether Shift is held or not.
    do : callable
        Takes a state and returns the next.
    """

    icon: str
    text: str
    keys: tuple[str, ...]
    do: Do


def _zoomed(factor: float) -> Do:
    def do(state: LabelState) -> LabelState:
        u, v = (side / 2 for side in state.viewport.canvas)
        return moves.zoom(state, factor, u, v)

    return do


def _nudged(dx: float, dy: float) -> Do:
    return lambda state: edits.nudge(state, dx * state.stride, dy * state.stride)


def _swapped(state: LabelState) -> LabelState:
    return edits.swap_individuals(state, (state.individual + 1) % len(state.individuals))


def _accepted_all(state: LabelState) -> LabelState:
    return edits.accept_suggestions(state, doubtful=True)


def _named(state: LabelState) -> LabelState:
    return moves.set_look(state, names=not state.look.names)


def _joined(state: LabelState) -> LabelState:
    return moves.set_look(state, skeleton=not state.look.skeleton)


def _coloured(state: LabelState) -> LabelState:
    by_keypoint = state.look.colour_by == "keypoint"
    return moves.set_look(state, colour_by="individual" if by_keypoint else "keypoint")


def _by(step: Callable[[LabelState, int], LabelState], count: int) -> Do:
    return lambda state: step(state, count)


ACTIONS = {
    "previous": Action("previous", "Previous frame", ("a", "PageUp"), _by(moves.step_frame, -1)),
    "next": Action("next", "Next frame", ("d", "PageDown"), _by(moves.step_frame, 1)),
    "next-empty": Action("next-empty", "Next frame not yet done", ("n",), moves.next_unfinished),
    "undo": Action("undo", "Undo", ("z", "Ctrl+z"), edits.undo),
    "redo": Action("redo", "Redo", ("y", "Ctrl+y", "Ctrl+Shift+z"), edits.redo),
    "zoom-out": Action("zoom-out", "Zoom out", ("-",), _zoomed(1 / _ZOOM_STEP)),
    "fit": Action("fit", "Show the whole image", ("0",), moves.fit_image),
    "zoom-in": Action("zoom-in", "Zoom in", ("+", "="), _zoomed(_ZOOM_STEP)),
    "copy": Action(
        "copy", "Copy from the frame before what is missing here", ("c",), edits.copy_previous
    ),
    "accept": Action(
        "accept",
        "Accept what the model is sure of in this frame",
        ("Enter",),
        edits.accept_suggestions,
    ),
    "accept-all": Action(
        "accept-all",
        "Accept all that the model suggests in this frame",
        ("Shift+Enter",),
        _accepted_all,
    ),
    "keypoint-up": Action("up", "Previous keypoint", ("w",), _by(moves.step_keypoint, -1)),
    "keypoint-down": Action("down", "Next keypoint", ("s",), _by(moves.step_keypoint, 1)),
    "hidden": Action(
        "hidden", "Hidden behind something, or seen again", ("h",), edits.mark_occluded
    ),
    "absent": Action("absent", "Not in this frame", ("x",), edits.mark_absent),
    "delete": Action("delete", "Delete the point", ("Delete", "Backspace"), edits.delete_point),
    "left": Action("left", "Move the point to the left", ("ArrowLeft",), _nudged(-1, 0)),
    "up": Action("up", "Move the point up", ("ArrowUp",), _nudged(0, -1)),
    "down": Action("down", "Move the point down", ("ArrowDown",), _nudged(0, 1)),
    "right": Action("right", "Move the point to the right", ("ArrowRight",), _nudged(1, 0)),
    "stride": Action("right", "Arrows move by 1 or 10 pixels", ("m",), moves.toggle_stride),
    "through": Action(
        "through",
        "One keypoint through all frames, or all keypoints of a frame",
        ("t",),
        moves.toggle_through,
    ),
    "animal": Action("next", "Next animal", ("e",), _by(moves.step_individual, 1)),
    "add": Action(
        "add", "Begin an animal without labels in this frame", ("g",), moves.add_individual
    ),
    "swap": Action("swap", "Swap this animal and the next in this frame", ("v",), _swapped),
    "names": Action("names", "Show names", ("l",), _named),
    "skeleton": Action("skeleton", "Show the skeleton", ("k",), _joined),
    "colours": Action("colours", "Colour by keypoint or by animal", ("o",), _coloured),
}

_BY_KEY = {key: action.do for action in ACTIONS.values() for key in action.keys}

_KEY_NAMES = {
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    "PageUp": "Page ↑",
    "PageDown": "Page ↓",
    "Backspace": "⌫",
    "Delete": "Del",
}

_MOUSE = (
    ("Click", "Place the current keypoint"),
    ("Drag a point", "Move it"),
    ("Drag elsewhere", "Move the image"),
    ("Wheel", "Zoom at the cursor"),
    ("Click a point", "Choose it, once the current one is placed"),
)


def do_for_key(key: str, *, shift: bool, control: bool) -> Do | None:
    """Return what a key does, None for nothing.

    Parameters
    ----------
    key : str
        As browsers name it.
    shift, control : bool
        Whether Shift, and Ctrl or Cmd, are held.
    """
    plain = key.lower() if len(key) == 1 else key
    if plain.isdigit() and plain != "0" and not control:
        return lambda state: _numbered(state, int(plain) - 1)
    if shift and plain.startswith("Arrow"):
        far = ACTIONS[plain.removeprefix("Arrow").lower()].do
        return lambda state: _far(state, far)
    held = ("Ctrl+" if control else "") + (
        "Shift+" if shift and (control or len(plain) > 1) else ""
    )
    return _BY_KEY.get(held + plain)


def help_html() -> str:
    """Return the help as HTML: what the mouse does, then every action with its keys."""
    rows = [(f"<b>{how}</b>", what) for how, what in _MOUSE]
    rows += [(_keys_html(action.keys), escape(action.text)) for action in ACTIONS.values()]
    rows.append(("<kbd>1</kbd> … <kbd>9</kbd>", "Choose a keypoint"))
    rows.append(("<kbd>Shift</kbd> + arrow", f"Move the point by {_LARGE_STEP} pixels"))
    rows.append(("<kbd>Esc</kbd>", "Put a point that is being dragged back"))
    rows.append(("<kbd>?</kbd>", "This help"))
    lines = "".join(f"<p><span>{keys}</span><span>{text}</span></p>" for keys, text in rows)
    return f'<div class="pnb-help">{lines}</div>'


def _numbered(state: LabelState, keypoint: int) -> LabelState:
    return moves.choose_cell(state, keypoint) if keypoint < len(state.skeleton) else state


def _far(state: LabelState, do: Do) -> LabelState:
    return replace(do(replace(state, stride=float(_LARGE_STEP))), stride=state.stride)


def _keys_html(keys: tuple[str, ...]) -> str:
    shown = [key for key in keys if not key.startswith("Ctrl+")]
    return " ".join(f"<kbd>{_key_name(key)}</kbd>" for key in shown)


def _key_name(key: str) -> str:
    if len(key) == 1:
        return key.upper()
    return "+".join(_KEY_NAMES.get(part, part) for part in key.split("+"))
