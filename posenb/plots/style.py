"""How all figures look: colours, type sizes and frames, in this one place."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

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
    "keypoint_colours",
    "new_figure",
    "plain_text",
    "scale_logarithmically",
]

DPI = 150
SMALL, TEXT, LARGE = 8.0, 9.0, 11.0  # points
INK, MUTED, FAINT = "#1F2933", "#5F6B76", "#E3E7EB"

SPLIT_COLOURS = {"train": "#8A939C", "validation": "#E69F00", "test": "#0072B2"}
"""Colour of each part of a split: the eye goes to the test frames."""

# The first six are Okabe and Ito's (2008), less black and yellow. Each further one is the
# farthest from those before it in OKLab, the nearest of three distances counting: as most
# people see them and as people without red or green cones do (Machado et al. 2009).
_KEYPOINTS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"),
    *("#691E1E", "#3C0F96", "#78E1B4", "#8778FF", "#963C69", "#874B00"),
    *("#A5B487", "#00D0EC", "#000FFF", "#E10FD2", "#69005A", "#3CD75F"),
    *("#690FC3", "#C31E96"),
)


def keypoint_colours(count: int) -> list[str]:
    """Return `count` colours, which repeat after twenty."""
    return [_KEYPOINTS[k % len(_KEYPOINTS)] for k in range(count)]


class _NotebookFigure(Figure):
    """A figure that shows itself in a notebook, also where pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        data = io.BytesIO()
        self.savefig(data, format="png")
        return data.getvalue()


def new_figure(width: float, height: float, *, arranged: bool = True) -> Figure:
    """Return an empty figure of `width` x `height` inches that belongs to no window.

    Its axes are arranged so that no text is clipped, unless `arranged` is False.
    """
    layout: Literal["constrained"] | None = "constrained" if arranged else None
    return _NotebookFigure((width, height), dpi=DPI, layout=layout, facecolor="white")


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
    axes.set_facecolor("white")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=MUTED, linewidth=0.8)
    axes.tick_params(
        labelsize=SMALL, labelcolor=INK, color=MUTED, width=0.8, length=3, which="major"
    )
    axes.tick_params(color=MUTED, width=0.5, length=1.5, which="minor")
    axes.set_axisbelow(True)
    if grid is not None:
        axes.grid(visible=True, which="major", axis=grid, color=FAINT, linewidth=0.8)
    axes.set_xlabel(x, fontsize=TEXT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT, color=INK)
    axes.set_title(title, fontsize=LARGE, color=INK, loc="left", parse_math=False)


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
        text.set(text=name, color=INK, parse_math=False)
    return legend
