"""What figures of a recording share: who has which colour, lines legible at any length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from posenb.core import Poses
from posenb.plots.style import add_legend, keypoint_colours, new_figure, plain_text, theme_of
from posenb.plots.theme import ThemeName

__all__ = [
    "ColourBy",
    "Curve",
    "LineStyle",
    "Recording",
    "draw_curves",
    "figure_beside_names",
    "remark",
    "shorten",
    "summarise_columns",
]

ColourBy = Literal["auto", "keypoint", "individual"]
LineStyle = Literal["-", "--", ":", "-."]

_STYLES: tuple[LineStyle, ...] = ("-", "--", ":", "-.")
_COLUMNS = 800  # into which a long recording is summarised
_DENSE = 3  # frames per column from which on it is
_MANY = 6  # curves from which on they are drawn finer
_CHARACTER = 0.085  # inches
_LONGEST = 28  # characters of a name in a legend


class Curve(NamedTuple):
    """One keypoint of one individual, and how it is told from the others.

    Parameters
    ----------
    individual, keypoint : int
    colour : str
    style : {"-", "--", ":", "-."}
    """

    individual: int
    keypoint: int
    colour: str
    style: LineStyle


@dataclass(frozen=True, slots=True)
class Recording:
    """What is drawn of poses.

    Parameters
    ----------
    poses : Poses
    cutoff : float
        Positions of lower likelihood are left out; those without any likelihood are not.
    keypoints : sequence of str, optional
        Those that are drawn; all by default.
    colour : {"auto", "keypoint", "individual"}
        What has a colour of its own. "auto" takes individuals where there are several.
    theme : {"light", "dark"}

    Raises
    ------
    UnknownNameError
        If there is no such keypoint.
    """

    poses: Poses
    cutoff: float
    keypoints: Sequence[str] | None
    colour: ColourBy
    theme: ThemeName

    def __post_init__(self) -> None:
        """Check that the keypoints exist."""
        for name in self.keypoints or ():
            self.poses.skeleton.index(name)

    @property
    def by_individual(self) -> bool:
        """Whether individuals, not keypoints, have colours of their own."""
        several = len(self.poses.individuals) > 1
        return self.colour == "individual" or (self.colour == "auto" and several)

    @property
    def positions(self) -> np.ndarray:
        """Coordinates in pixels, shape (T, I, K, 2); NaN where nothing is sure enough."""
        unsure = self.poses.likelihoods < self.cutoff
        return np.where(unsure[..., None], np.nan, self.poses.positions)

    @property
    def times(self) -> np.ndarray:
        """Seconds, or frames where the frame rate is unknown, shape (T,)."""
        assert self.poses.frames is not None
        return self.poses.times if np.isfinite(self.poses.fps) else self.poses.frames

    @property
    def time_name(self) -> str:
        """Name and unit of the times."""
        return "time (s)" if np.isfinite(self.poses.fps) else "frame"

    @property
    def chosen(self) -> list[int]:
        """Indices of the keypoints that are drawn."""
        names = self.poses.skeleton.keypoints
        return [
            k for k, name in enumerate(names) if self.keypoints is None or name in self.keypoints
        ]

    @property
    def curves(self) -> list[Curve]:
        """All that is drawn, individual after individual."""
        individuals, keypoints = len(self.poses.individuals), len(self.poses.skeleton)
        many = individuals if self.by_individual else keypoints
        colours = keypoint_colours(many, self.theme)
        if self.by_individual:
            return [Curve(i, k, colours[i], "-") for i in range(individuals) for k in self.chosen]
        return [
            Curve(i, k, colours[k], _STYLES[i % len(_STYLES)])
            for i in range(individuals)
            for k in self.chosen
        ]

    @property
    def named_colours(self) -> list[tuple[str, str]]:
        """What has a colour of its own and which."""
        if self.by_individual:
            names = [name or "animal" for name in self.poses.individuals]
            return list(zip(names, keypoint_colours(len(names), self.theme), strict=True))
        keypoints = self.poses.skeleton.keypoints
        colours = keypoint_colours(len(keypoints), self.theme)
        return [(keypoints[k], colours[k]) for k in self.chosen]

    def explain(self, axes: Axes, remarks: Sequence[str] = (), title: str = "") -> None:
        """Put a legend of colours and line styles to the right of axes.

        Parameters
        ----------
        axes : Axes
            Changed in place.
        remarks : sequence of str, optional
            One behind the name of each colour.
        title : str, optional
            Heading.
        """
        look = theme_of(axes.figure)
        handles: list[Artist] = []
        names = []
        for n, (name, colour) in enumerate(self.named_colours):
            handles.append(Line2D([], [], color=colour, linewidth=1.8))
            names.append(shorten(name) + (f"   {remarks[n]}" if remarks else ""))
        if len(self.poses.individuals) > 1 and not self.by_individual:
            for i, name in enumerate(self.poses.individuals):
                handles.append(Line2D([], [], color=look.ink, linestyle=_STYLES[i % len(_STYLES)]))
                names.append(shorten(name))
        legend = add_legend(
            axes, handles, names, loc="upper left", bbox_to_anchor=(1.0, 1.0), borderpad=0
        )
        if title:
            legend.set_title(title)
            legend.get_title().set(**plain_text(color=look.muted))
            legend.set_alignment("left")


def shorten(name: str) -> str:
    """Return a name that leaves room for the figure."""
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def figure_beside_names(recording: Recording, width: float, height: float, more: int = 0) -> Figure:
    """Return a new figure with room for a legend at its right.

    Parameters
    ----------
    recording : Recording
    width : float
        Inches without the legend.
    height : float
        Inches at least.
    more : int, optional
        Characters beside each name.
    """
    names = [shorten(name) for name, _ in recording.named_colours]
    rows = len(names) + (0 if recording.by_individual else len(recording.poses.individuals))
    beside = 0.5 + _CHARACTER * (max(map(len, names), default=0) + more)
    return new_figure(width + beside, max(height, 0.19 * rows + 1.0), theme=recording.theme)


def remark(axes: Axes, text: str) -> None:
    """Write a quiet line into the middle of empty axes."""
    axes.text(
        *(0.5, 0.5, text),
        **plain_text(color=theme_of(axes.figure).muted),
        transform=axes.transAxes,
        horizontalalignment="center",
        verticalalignment="center",
    )


def draw_curves(axes: Axes, times: np.ndarray, values: np.ndarray, curves: Sequence[Curve]) -> None:
    """Draw lines against time; of a long recording, their middles and extremes.

    Parameters
    ----------
    axes : Axes
        Changed in place.
    times : ndarray, shape (T,)
    values : ndarray, shape (T, I, K)
        NaN values are gaps.
    curves : sequence of Curve
        Which of them to draw, and how they look.
    """
    many = len(curves) > _MANY
    for curve in curves:
        line = values[:, curve.individual, curve.keypoint]
        _draw_curve(axes, times, line, curve, 0.8 if many else 1.1, 0.12 if many else 0.25)
    axes.margins(x=0.01)
    if len(times) == 1:
        axes.set(xlim=(times[0] - 0.5, times[0] + 0.5), xticks=times)


def _draw_curve(
    axes: Axes, times: np.ndarray, values: np.ndarray, curve: Curve, width: float, pale: float
) -> None:
    if len(times) > _DENSE * _COLUMNS:
        times, low, values, high = summarise_columns(times, values, _COLUMNS)
        axes.fill_between(times, low, high, color=curve.colour, alpha=pale, linewidth=0)
    axes.plot(times, values, color=curve.colour, linestyle=curve.style, linewidth=width)
    # A value between two gaps would be a line without length; a dot shows it.
    gaps = np.isnan(np.concatenate([[np.nan], values, [np.nan]]))
    alone = gaps[:-2] & ~gaps[1:-1] & gaps[2:]
    axes.plot(times[alone], values[alone], ".", color=curve.colour, markersize=3)


def summarise_columns(
    times: np.ndarray, values: np.ndarray, columns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return what a line of more points than pixels looks like, without losing a peak.

    Parameters
    ----------
    times, values : ndarray, shape (T,)
        `times` increase; NaN values are gaps.
    columns : int
        At most so many are returned.

    Returns
    -------
    times, lowest, median, highest : ndarray, shape (C,)
        Of the frames of each column; NaN where all of them are gaps.
    """
    each = -(-len(times) // columns)
    missing = -len(times) % each
    grid = np.sort(
        np.pad(values.astype(float), (0, missing), constant_values=np.nan).reshape(-1, each)
    )
    known = np.isfinite(grid).sum(axis=1)  # NaNs are sorted to the end
    rows, last = np.arange(len(grid)), np.maximum(known - 1, 0)
    middle = np.pad(times.astype(float), (0, missing), mode="edge").reshape(-1, each).mean(axis=1)
    return middle, grid[:, 0], grid[rows, last // 2], grid[rows, last]
