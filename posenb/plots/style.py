"""How all figures of matplotlib look: type sizes, frames, grids, in a theme."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure, FigureBase
from matplotlib.legend import Legend
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from posenb.plots.theme import LIGHT, Theme, ThemeName, find_theme, keypoint_colours

__all__ = [
    "DPI",
    "FAINT",
    "INK",
    "LARGE",
    "MUTED",
    "SMALL",
    "SPLIT_COLOURS",
    "TEXT",
    "add_legend",
    "dress",
    "figure_bytes",
    "keypoint_colours",
    "new_figure",
    "plain_text",
    "scale_logarithmically",
    "theme_of",
]

DPI = 150
SMALL, TEXT, LARGE = 8.0, 9.0, 11.0  # points

# Of the light theme: pictures that are drawn over frames of a video look the same in both.
INK, MUTED, FAINT = LIGHT.ink, LIGHT.muted, LIGHT.faint
SPLIT_COLOURS = LIGHT.splits


class _NotebookFigure(Figure):
    """A figure that knows its theme and shows itself in a notebook, also without pyplot."""

    theme: Theme = LIGHT

    def _repr_png_(self) -> bytes:
        return figure_bytes(self, "png")


def new_figure(
    width: float, height: float, *, arranged: bool = True, theme: ThemeName = "light"
) -> Figure:
    """Return an empty figure that belongs to no window.

    Parameters
    ----------
    width, height : float
        Inches.
    arranged : bool, optional
        Whether its axes are arranged so that no text is clipped.
    theme : {"light", "dark"}, optional
        Look of all that `dress` and `add_legend` touch on it.

    Returns
    -------
    Figure

    Raises
    ------
    UnknownNameError
        If there is no such theme.
    """
    layout: Literal["constrained"] | None = "constrained" if arranged else None
    look = find_theme(theme)
    figure = _NotebookFigure((width, height), dpi=DPI, layout=layout, facecolor=look.paper)
    figure.theme = look
    return figure


def theme_of(figure: FigureBase) -> Theme:
    """Return the theme a figure was made with; the light one for a figure from elsewhere."""
    return figure.theme if isinstance(figure, _NotebookFigure) else LIGHT


def figure_bytes(figure: Figure, kind: Literal["png", "svg", "pdf"]) -> bytes:
    """Return a figure as the content of a file; the letters of SVG and PDF stay letters.

    The same figure gives the same bytes.
    """
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "posenb", "pdf.fonttype": 42}
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    data = io.BytesIO()
    with rc_context(settings):
        figure.savefig(data, format=kind, metadata=undated[kind])
    return data.getvalue()


def dress(
    axes: Axes,
    *,
    grid: Literal["x", "y", "both"] | None = None,
    x: str = "",
    y: str = "",
    title: str = "",
) -> None:
    """Give axes the house's look.

    Parameters
    ----------
    axes : Axes
        Changed in place.
    grid : {"x", "y", "both"}, optional
        Direction along which faint lines help to read values.
    x, y : str, optional
        Names and units of the axes.
    title : str, optional
        Heading, left above the axes.
    """
    look = theme_of(axes.figure)
    axes.set_facecolor(look.paper)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=look.muted, linewidth=0.8)
    axes.tick_params(
        labelsize=SMALL, labelcolor=look.ink, color=look.muted, width=0.8, length=3, which="major"
    )
    axes.tick_params(color=look.muted, width=0.5, length=1.5, which="minor")
    axes.set_axisbelow(True)
    if grid is not None:
        axes.grid(visible=True, which="major", axis=grid, color=look.faint, linewidth=0.8)
    axes.set_xlabel(x, fontsize=TEXT, color=look.ink)
    axes.set_ylabel(y, fontsize=TEXT, color=look.ink)
    axes.set_title(title, fontsize=LARGE, color=look.ink, loc="left", parse_math=False)


def scale_logarithmically(axis: Axis, values: np.ndarray) -> None:
    """Give `axis` a logarithmic scale with room for positive `values`, marked 1, 2, 5, 10 ..."""
    low, high = float(values.min()) / 1.25, float(values.max()) * 1.25
    if high < 3 * low:  # so that at least one mark is seen
        low, high = low / 1.5, high * 1.5
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    steps = (1, 2, 5) if len(powers) < 6 else (1,)
    marks = [step * 10.0**power for power in (*powers, powers.stop) for step in steps]
    if isinstance(axis, XAxis):
        axis.axes.set(xscale="log", xlim=(low, high))
    else:
        axis.axes.set(yscale="log", ylim=(low, high))
    axis.set_major_locator(FixedLocator([mark for mark in marks if low <= mark <= high]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def plain_text(**options: Any) -> dict[str, Any]:
    """Return options of a text that shows names as they are, dollar signs included."""
    return {"fontsize": SMALL, "color": INK, "parse_math": False, **options}


def add_legend(axes: Axes, handles: Sequence[Artist], names: Sequence[str], **place: Any) -> Legend:
    """Put a legend without a frame on `axes`; names appear exactly as they are.

    Parameters
    ----------
    axes : Axes
        Changed in place.
    handles : sequence of Artist
        What to show.
    names : sequence of str
        What to call it.
    **place
        Where to put it, as `Axes.legend` takes it.

    Returns
    -------
    Legend
    """
    # matplotlib leaves out names that start with an underscore, so they are set afterwards.
    legend = axes.legend(handles, [" "] * len(names), frameon=False, fontsize=SMALL, **place)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=name, color=theme_of(axes.figure).ink, parse_math=False)
    return legend
