"""What the labeller draws: first computed, then painted in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from posenb.core import Visibility
from posenb.plots.theme import FONT, keypoint_colours
from posenb.widgets.label_state import Cell, LabelState, suggested

if TYPE_CHECKING:
    from ipycanvas import Canvas

__all__ = ["Edge", "Mark", "colour_of", "edges", "marks", "paint_points", "tone_steps"]

Kind = Literal["seen", "hidden", "suggested", "doubtful"]

_DARK = "rgba(0, 0, 0, 0.65)"
_LIGHT = "rgba(255, 255, 255, 0.95)"


@dataclass(frozen=True, slots=True)
class Mark:
    """A point on the canvas.

    Parameters
    ----------
    cell : (int, int)
        Animal and keypoint.
    u, v : float
        CSS pixels.
    kind : {"seen", "hidden", "suggested", "doubtful"}
    colour : str
    name : str
        What to write beside it; empty for nothing.
    current : bool
        Whether the next click places it.
    """

    cell: Cell
    u: float
    v: float
    kind: Kind
    colour: str
    name: str
    current: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two points, in CSS pixels."""

    start: tuple[float, float]
    end: tuple[float, float]
    colour: str


def colour_of(state: LabelState, cell: Cell) -> str:
    """Return the colour of a keypoint of an animal, as the look wants it."""
    by_keypoint = state.look.colour_by == "keypoint"
    count = len(state.skeleton) if by_keypoint else len(state.individuals)
    return keypoint_colours(count)[cell[1] if by_keypoint else cell[0]]


def marks(state: LabelState, *, held: bool = False) -> list[Mark]:
    """Return the points of the current frame.

    Parameters
    ----------
    state : LabelState
    held : bool, optional
        Whether to return the one point that is being dragged, or all others.
    """
    found = []
    for cell, (x, y) in _positions(state).items():
        if (state.held is not None and state.held.cell == cell) != held:
            continue
        u, v = state.viewport.to_canvas(x, y)
        name = state.skeleton.keypoints[cell[1]] if state.look.names or held else ""
        current = cell == state.cell
        found.append(Mark(cell, u, v, _kind(state, cell), colour_of(state, cell), name, current))
    return found


def edges(state: LabelState, *, held: bool = False) -> list[Edge]:
    """Return the lines of the skeleton, those at the dragged point or all others."""
    if not state.look.skeleton:
        return []
    positions = _positions(state)
    by_animal = state.look.colour_by == "individual"
    at_work = state.held.cell if state.held is not None else None
    found = []
    for i in range(len(state.individuals)):
        for a, b in state.skeleton.edges:
            ends = [_owned(state, i, k) for k in (a, b)]
            if all(end in positions for end in ends) and (at_work in ends) == held:
                start, end = (state.viewport.to_canvas(*positions[end]) for end in ends)
                colour = colour_of(state, (i, a)) if by_animal else "#FFFFFF"
                found.append(Edge(start, end, colour))
    return found


def tone_steps(brightness: float, contrast: float) -> list[tuple[str, str]]:
    """Return how to change the tones of an image by painting over it.

    Every browser knows these ways of blending; Safari has no filters for canvases.

    Parameters
    ----------
    brightness, contrast : float
        -1 to 1. Tones t (0 to 1) become gain · (t - 0.5) + 0.5 + brightness, with a gain
        of 4 to the power of the contrast.

    Returns
    -------
    list of (str, str)
        Composite operations and the colours to paint with, in this order.
    """
    gain = 4.0**contrast
    lift = 0.5 - 0.5 * gain + brightness
    if gain >= 1:  # first the shift, so that clipping loses only what ends up clipped
        return [*_shifted(lift / gain), *_gained(gain)]
    return [*_gained(gain), *_shifted(lift)]


def paint_points(
    canvas: Canvas, points: list[Mark], lines: list[Edge], size: float, ratio: float
) -> None:
    """Paint points and lines on a layer, after what was on it.

    Parameters
    ----------
    canvas : Canvas
        The layer; its pixels are `ratio` to a CSS pixel.
    points : list of Mark
    lines : list of Edge
    size : float
        Radius of a point in CSS pixels.
    ratio : float
    """
    canvas.clear()
    canvas.line_cap = "round"
    if lines:
        _paint_lines(canvas, lines, ratio)
    for kind in ("suggested", "doubtful", "hidden", "seen"):
        these = [mark for mark in points if mark.kind == kind]
        if these:
            _paint_kind(canvas, these, kind, size * ratio, ratio)
    for mark in points:
        if mark.current:
            _ring(canvas, mark, (size + 5) * ratio, ratio)
    named = [mark for mark in points if mark.name]
    if named:
        _paint_names(canvas, named, size, ratio)


def _positions(state: LabelState) -> dict[Cell, tuple[float, float]]:
    here = state.here
    positions = here.positions
    waiting = suggested(state)
    if waiting.any():
        guesses = state.suggestions[state.frame].positions
        positions = np.where(waiting[..., None], guesses, positions)
    cells = np.argwhere(~np.isnan(positions[..., 0])).tolist()
    found = {(i, k): (float(positions[i, k, 0]), float(positions[i, k, 1])) for i, k in cells}
    if state.held is not None:
        found[state.held.cell] = state.held.position
    return found


def _kind(state: LabelState, cell: Cell) -> Kind:
    if state.here.visibility[cell] == Visibility.OCCLUDED:
        return "hidden"
    if state.here.said[cell] or (state.held is not None and state.held.cell == cell):
        return "seen"
    sure = state.suggestions[state.frame].likelihoods[cell] >= state.cutoff
    return "suggested" if sure else "doubtful"


def _owned(state: LabelState, individual: int, keypoint: int) -> Cell:
    once = state.skeleton.keypoints[keypoint] in state.skeleton.unique
    return (0 if once else individual, keypoint)


def _gained(gain: float) -> list[tuple[str, str]]:
    if abs(gain - 1) < 1e-3:
        return []
    if gain > 1:  # dodging divides by what is left of white
        return [("color-dodge", _grey(1 - 1 / gain))]
    return [("multiply", _grey(gain))]


def _shifted(by: float) -> list[tuple[str, str]]:
    if abs(by) < 1e-3:
        return []
    if by > 0:
        return [("lighter", _grey(by))]
    white = "rgb(255, 255, 255)"
    return [("difference", white), ("lighter", _grey(-by)), ("difference", white)]


def _grey(value: float) -> str:
    tone = round(255 * min(max(value, 0.0), 1.0))
    return f"rgb({tone}, {tone}, {tone})"


def _paint_lines(canvas: Canvas, lines: list[Edge], ratio: float) -> None:
    points = np.array([(line.start, line.end) for line in lines], dtype=np.float32) * ratio
    colours = np.array([_rgb(line.colour) for line in lines], dtype=np.uint8)
    dark = np.zeros_like(colours)
    for colour, alpha, width in ((dark, 0.45, 3.5), (colours, 0.9, 1.5)):
        canvas.line_width = width * ratio
        canvas.stroke_styled_line_segments(points, colour, np.full(len(lines), alpha))


def _paint_kind(canvas: Canvas, points: list[Mark], kind: Kind, radius: float, r: float) -> None:
    u, v = (np.array([getattr(mark, axis) for mark in points]) * r for axis in "uv")
    radii = np.full(len(points), radius)
    colours = np.array([_rgb(mark.colour) for mark in points], dtype=np.uint8)
    whole = np.ones(len(points))
    dark, light = np.zeros_like(colours), np.full_like(colours, 255)
    if kind == "seen":
        canvas.fill_styled_circles(u, v, radii + 2 * r, dark, 0.55 * whole)
        canvas.fill_styled_circles(u, v, radii + r, light, whole)
        canvas.fill_styled_circles(u, v, radii, colours, whole)
        canvas.fill_styled_circles(u, v, np.full(len(points), 0.9 * r), light, whole)
        return
    if kind == "doubtful":
        canvas.set_line_dash([2.5 * r, 3.5 * r])
    if kind == "suggested":
        canvas.fill_styled_circles(u, v, radii, colours, 0.45 * whole)
    for colour, alpha, width in ((dark, 0.55, 4.5), (light, 1.0, 3.0), (colours, 1.0, 2.0)):
        canvas.line_width = width * r
        canvas.stroke_styled_circles(u, v, radii, colour, alpha * whole)
    if kind == "doubtful":
        canvas.set_line_dash([])


def _ring(canvas: Canvas, mark: Mark, radius: float, ratio: float) -> None:
    for colour, width in ((_DARK, 3.5), (_LIGHT, 1.5)):
        canvas.stroke_style = colour
        canvas.line_width = width * ratio
        canvas.stroke_circle(mark.u * ratio, mark.v * ratio, radius)


def _paint_names(canvas: Canvas, points: list[Mark], size: float, ratio: float) -> None:
    canvas.font = f"600 {12 * ratio:g}px {FONT}"
    canvas.text_baseline = "middle"
    canvas.line_width = 3 * ratio
    canvas.line_join = "round"
    canvas.stroke_style = _DARK
    canvas.fill_style = _LIGHT
    for mark in points:
        place = ((mark.u + size + 7) * ratio, mark.v * ratio)
        canvas.stroke_text(mark.name, *place)
        canvas.fill_text(mark.name, *place)


def _rgb(colour: str) -> tuple[int, int, int]:
    value = int(colour.removeprefix("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255
