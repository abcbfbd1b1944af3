"""Lines and discs on a picture, smooth and exact to a fraction of a pixel.

Agg, which comes with matplotlib, draws them. Only those parts of the picture that are
drawn on travel to its canvas and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, IdentityTransform

__all__ = ["Canvas", "Discs", "Drawing", "Lines"]

_HERE = IdentityTransform()
_CIRCLE = Path.unit_circle()
_SOLID, _SMOOTH, _NO_URL = [(0, None)], [True], [None]
_NO_SIZE, _NO_FILL = np.zeros((0, 3, 3)), np.zeros((0, 4))
_NO_OFFSET = np.zeros((1, 2))


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one piece of the picture, drawn in their order.

    Parameters
    ----------
    points : sequence of ndarray, shape (N, 2)
        x, y in pixels of the picture (integers are pixel centres); a NaN interrupts.
    colours : ndarray, shape (L, 4)
        Red, green, blue and opacity, 0 to 1.
    widths : ndarray, shape (L,)
        Pixels.
    """

    points: list[np.ndarray]
    colours: np.ndarray
    widths: np.ndarray


@dataclass(frozen=True, slots=True)
class Discs:
    """Discs with a rim.

    Parameters
    ----------
    centres : ndarray, shape (D, 2)
        x, y in pixels of the picture, all finite.
    fills, rims : ndarray, shape (D, 4)
        Red, green, blue and opacity, 0 to 1.
    radius, rim : float
        Pixels; the rim lies half within the radius.
    """

    centres: np.ndarray
    fills: np.ndarray
    rims: np.ndarray
    radius: float
    rim: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn in one part of the picture: the lines first."""

    lines: Lines
    discs: Discs


class Canvas:
    """Draws on pictures of one size.

    Parameters
    ----------
    width, height : int
        Pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = np.array([width, height])
        agg: Any = RendererAgg  # it carries no types
        self._renderer = agg(width, height, 72)  # at 72 dpi a point is a pixel
        self._pixels = np.asarray(self._renderer.buffer_rgba())
        self._pixels[..., 3] = 255
        self._pen = self._renderer.new_gc()
        self._pen.set_snap(False)
        # matplotlib's renderers measure from the lower left corner of the picture.
        self._turn = Affine2D().scale(1, -1).translate(0.5, height - 0.5)

    def draw(self, picture: np.ndarray, drawings: list[Drawing], out: np.ndarray) -> None:
        """Copy a picture and draw on the copy.

        Parameters
        ----------
        picture : ndarray of uint8, shape (H, W, 3)
        drawings : list of Drawing
            Later ones lie on top.
        out : ndarray of uint8, shape (H, W, 3)
            Takes the copy.
        """
        np.copyto(out, picture)
        parts = [part for drawing in drawings for part in self._part(drawing)]
        for rows, columns in parts:
            for channel in range(3):  # several times as fast as all three at once
                self._pixels[rows, columns, channel] = picture[rows, columns, channel]
        for drawing in drawings:
            self._draw_lines(drawing.lines)
            self._draw_discs(drawing.discs)
        for rows, columns in parts:
            for channel in range(3):
                out[rows, columns, channel] = self._pixels[rows, columns, channel]

    def _part(self, drawing: Drawing) -> list[tuple[slice, slice]]:
        """Return the rows and columns that a drawing touches, none if it lies outside."""
        lines, discs = drawing.lines, drawing.discs
        points = np.concatenate([*lines.points, discs.centres])
        if not np.isfinite(points).any():
            return []
        reach = max(discs.radius + discs.rim, *lines.widths, 0.0) + 2
        low = np.fmin.reduce(points) - reach
        high = np.fmax.reduce(points) + reach
        left, top = np.clip(np.floor(low), 0, self._size).astype(int).tolist()
        right, bottom = np.clip(np.ceil(high), 0, self._size).astype(int).tolist()
        if left >= right or top >= bottom:
            return []
        return [(slice(top, bottom), slice(left, right))]

    def _draw_lines(self, lines: Lines) -> None:
        if not lines.points:
            return
        self._renderer.draw_path_collection(
            *(self._pen, self._turn, [Path(points) for points in lines.points]),
            *(_NO_SIZE, _NO_OFFSET, _HERE, _NO_FILL, lines.colours, lines.widths),
            *(_SOLID, _SMOOTH, _NO_URL, "screen"),
        )

    def _draw_discs(self, discs: Discs) -> None:
        if not len(discs.centres):
            return
        size = np.diag([discs.radius, discs.radius, 1.0])[None]
        self._renderer.draw_path_collection(
            *(self._pen, _HERE, [_CIRCLE]),
            *(size, discs.centres, self._turn, discs.fills, discs.rims, np.array([discs.rim])),
            *(_SOLID, _SMOOTH, _NO_URL, "screen"),
        )
