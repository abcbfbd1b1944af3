"""x and y against time beside the picture, with a cursor that moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from posenb.overlays.overlay import Track
from posenb.plots.recording import Curve, LineStyle, draw_curves
from posenb.plots.style import add_legend, dress, new_figure
from posenb.plots.theme import ThemeName, find_theme

__all__ = ["Traces", "make_traces"]

# Inches that the panel's shorter side counts as, which decides its type size; the least
# pixels per inch that leave letters legible.
_HEIGHT, _LEAST_DPI = 4.4, 80.0
_PAD = 0.1  # inches around the panels
_COMING = 0.28  # opacity of what is still to come
_STYLES: tuple[LineStyle, ...] = ("-", "--", ":", "-.")


@dataclass(frozen=True, slots=True)
class Traces:
    """The panel, painted twice: all of it strong, and all of it pale.

    Parameters
    ----------
    strong, pale : ndarray of uint8, shape (H, W, 3)
    rows : tuple of slice
        Rows of the panels that the cursor crosses.
    columns : ndarray, shape (T,)
        Column of each frame.
    first : int
        Frame of the first column.
    ink : tuple of int
        Red, green and blue of the cursor.
    """

    strong: np.ndarray
    pale: np.ndarray
    rows: tuple[slice, ...]
    columns: np.ndarray
    first: int
    ink: tuple[int, ...]

    def draw(self, frame: int, out: np.ndarray) -> None:
        """Draw the panel at a frame into `out`, shape (H, W, 3)."""
        column = int(self.columns[frame - self.first])
        out[:, :column] = self.strong[:, :column]
        out[:, column:] = self.pale[:, column:]
        thickness = max(1, len(out) // 400)
        for rows in self.rows:
            out[rows, column : column + thickness] = self.ink


def make_traces(
    track: Track,
    times: np.ndarray,
    frames: tuple[int, int],
    size: tuple[int, int],
    theme: ThemeName,
) -> Traces:
    """Paint the panel.

    Parameters
    ----------
    track : Track
    times : ndarray, shape (N,)
        Seconds of all frames of the source.
    frames : (int, int)
        Range that is shown, the end excluded.
    size : (int, int)
        Width and height of the panel, pixels.
    theme : {"light", "dark"}
    """
    start, stop = frames
    dpi = max(min(size) / _HEIGHT, _LEAST_DPI)
    figure = new_figure(size[0] / dpi, size[1] / dpi, theme=theme)
    figure.set_dpi(dpi)
    figure.set_layout_engine("constrained", w_pad=_PAD, h_pad=_PAD)
    panels = figure.subplots(2, 1, sharex=True)
    shown = track.sure[start - track.first : stop - track.first]
    _draw(panels, shown, times[start:stop], track)
    dress(panels[0], grid="y", y="x (px)")
    dress(panels[1], grid="y", y="y (px, down)", x="time (s)")
    panels[0].tick_params(axis="x", length=0)
    panels[1].invert_yaxis()
    if stop - start > 1:
        panels[1].set_xlim(times[start], times[stop - 1])
    figure.align_ylabels(panels)
    _add_names(figure, panels[0], track)
    strong = _painted(figure, size)
    for artist in [artist for panel in panels for artist in (*panel.lines, *panel.collections)]:
        artist.set_alpha(_COMING * (artist.get_alpha() or 1))
    pale = _painted(figure, size)
    columns = panels[1].transData.transform(np.stack([times[start:stop]] * 2, axis=1))[:, 0]
    boxes = [panel.get_window_extent() for panel in panels]
    rows = tuple(slice(size[1] - round(box.y1), size[1] - round(box.y0)) for box in boxes)
    ink = tuple(round(255 * part) for part in to_rgb(find_theme(theme).ink))
    return Traces(strong, pale, rows, np.clip(columns, 0, size[0] - 1).astype(int), start, ink)


def _draw(panels: np.ndarray, shown: np.ndarray, times: np.ndarray, track: Track) -> None:
    """Draw a line for each keypoint, or for the middle of each individual that has a colour."""
    if track.by_individual:
        found = np.isfinite(shown).sum(axis=2, keepdims=True)
        with np.errstate(invalid="ignore"):  # where nothing was found there is no middle
            shown = np.nansum(shown, axis=2, keepdims=True) / found
    curves = [
        Curve(
            i,
            k,
            to_hex(track.colours[i, k]),
            "-" if track.by_individual else _STYLES[i % len(_STYLES)],
        )
        for i in range(shown.shape[1])
        for k in range(shown.shape[2])
    ]
    for axis, panel in enumerate(panels):
        draw_curves(panel, times, shown[..., axis], curves)


def _add_names(figure: Figure, axes: Axes, track: Track) -> None:
    names = track.individuals if track.by_individual else track.names
    colours = track.colours[:, 0] if track.by_individual else track.colours[0]
    if names == ("",):
        return
    handles = [Line2D([], [], color=colour, linewidth=2) for colour in colours]
    add_legend(
        axes,
        handles,
        names,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=max(1, min(len(names), int(figure.get_figwidth() * 14 / (max(map(len, names)) + 6)))),
        handlelength=1.0,
        columnspacing=1.2,
        borderpad=0,
    )


def _painted(figure: Figure, size: tuple[int, int]) -> np.ndarray:
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[: size[1], : size[0], :3]
    missing = ((0, size[1] - pixels.shape[0]), (0, size[0] - pixels.shape[1]), (0, 0))
    return np.pad(pixels, missing, mode="edge")
