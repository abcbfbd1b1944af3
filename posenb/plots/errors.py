"""How the distances between predictions and labels are spread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from posenb.errors import InvalidInputError
from posenb.plots.style import (
    SPLIT_COLOURS,
    add_legend,
    dress,
    new_figure,
    scale_logarithmically,
    theme_of,
)
from posenb.plots.theme import Theme, ThemeName

__all__ = ["plot_errors"]

_COLUMNS = ("split", "keypoint", "error", "likelihood")
_SMALLEST = 0.1  # px: what is nearer is drawn there, as a logarithmic axis has no zero
_GOLDEN = 0.618034
_LANE, _NARROW, _MANY = 0.17, 0.11, 8  # inches a split takes in a row; of many rows


def plot_errors(
    errors: pd.DataFrame,
    *,
    cutoff: float | None = None,
    human: float | None = None,
    theme: ThemeName = "light",
) -> Figure:
    """Draw how the errors are spread, for all keypoints together and for each.

    Above stands the share of keypoints within a distance, below one dot for each
    labelled keypoint of each frame and a bar at the median.

    Parameters
    ----------
    errors : DataFrame
        Columns ``split``, ``keypoint``, ``error`` (pixels; NaN where unlabelled,
        infinite where nothing was found) and ``likelihood``, one row a keypoint of a
        frame, as `posenb.evaluation.tabulate_errors` gives them. Errors below 0.1 px
        are drawn at 0.1 px.
    cutoff : float, optional
        Predictions of a smaller likelihood are drawn as open circles.
    human : float, optional
        How far two people are apart on these data, pixels: drawn as a line.
    theme : {"light", "dark"}, optional
        The colours.

    Returns
    -------
    Figure

    Raises
    ------
    InvalidInputError
        If a column is missing or no labelled keypoint was found.
    UnknownNameError
        If there is no such theme.
    """
    lacking = [name for name in _COLUMNS if name not in errors.columns]
    if lacking:
        raise InvalidInputError(
            f"A table of errors has the columns {', '.join(_COLUMNS)}; {', '.join(lacking)} is "
            "missing. Give the errors of an evaluation."
        )
    known = errors[errors["error"].notna()]
    found = known[np.isfinite(known["error"])]
    if found.empty:
        raise InvalidInputError(
            "A figure of errors needs labelled keypoints that were found; there are none."
        )
    splits = [name for name in SPLIT_COLOURS if name in set(known["split"])]
    keypoints = list(dict.fromkeys(errors["keypoint"]))
    lane_height = _LANE if len(keypoints) <= _MANY else _NARROW
    rows = len(keypoints) * (len(splits) * lane_height + 0.14)
    figure = new_figure(7.2, 2.9 + rows, theme=theme)
    look = theme_of(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.8, rows])
    _draw_shares(above, known, splits)
    for row, keypoint in enumerate(keypoints):
        for lane, split in enumerate(splits):
            chosen = (found["keypoint"] == keypoint) & (found["split"] == split)
            place = row + (lane - (len(splits) - 1) / 2) * 0.8 / len(splits)
            _draw_lane(below, found[chosen], split, place, 0.8 / len(splits), cutoff)
    below.set_ylim(len(keypoints) - 0.5, -0.5)
    below.set_yticks(range(len(keypoints)), keypoints, parse_math=False)
    dress(below, grid="x", x="distance between prediction and label (px)")
    below.tick_params(axis="y", length=0)
    for edge in range(1, len(keypoints)):
        below.axhline(edge - 0.5, color=look.faint, linewidth=0.8, zorder=0)
    scale_logarithmically(below.xaxis, np.maximum(found["error"].to_numpy(), _SMALLEST))
    handles, names = _legend(splits, known, cutoff, look)
    if human is not None:
        for axes in (above, below):
            axes.axvline(human, color=look.ink, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        handles.append(Line2D([], [], color=look.ink, linewidth=1, linestyle=(0, (4, 3))))
        names.append(f"two people ({human:g} px)")
    add_legend(above, handles, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return figure


def _draw_shares(axes: Axes, known: pd.DataFrame, splits: list[str]) -> None:
    for split in splits:
        errors = np.sort(known.loc[known["split"] == split, "error"].to_numpy())
        shares = np.arange(1, len(errors) + 1) / len(errors)
        seen = np.isfinite(errors)
        x = np.maximum(errors[seen], _SMALLEST)
        axes.step(
            np.concatenate([[_SMALLEST / 10], x, [1e9]]),
            np.concatenate([[0], shares[seen], [shares[seen][-1] if seen.any() else 0]]),
            where="post",
            color=theme_of(axes.figure).splits[split],
            linewidth=1.8,
        )
    dress(axes, grid="both", y="keypoints\nwithin distance")
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.tick_params(axis="x", which="both", length=0, labelbottom=False)


def _draw_lane(
    axes: Axes,
    found: pd.DataFrame,
    split: str,
    place: float,
    height: float,
    cutoff: float | None,
) -> None:
    """Draw one split of one keypoint around the height `place`."""
    if found.empty:
        return
    x = np.maximum(found["error"].to_numpy(), _SMALLEST)
    # Steps of the golden ratio spread the dots evenly and give the same picture every time.
    y = place + ((np.arange(len(x)) * _GOLDEN) % 1 - 0.5) * height * 0.7
    sure = np.ones(len(x), bool) if cutoff is None else found["likelihood"].to_numpy() >= cutoff
    look = theme_of(axes.figure)
    colour = look.splits[split]
    dots: dict[str, Any] = {"s": 12 if len(x) < 300 else 5, "rasterized": len(x) > 2000}
    axes.scatter(x[sure], y[sure], color=colour, alpha=0.55, linewidths=0, **dots)
    axes.scatter(
        x[~sure], y[~sure], facecolors="none", edgecolors=colour, linewidths=0.8, alpha=0.9, **dots
    )
    middle = float(np.median(x))
    axes.vlines(middle, place - height * 0.42, place + height * 0.42, color=look.ink, linewidth=1.6)


def _legend(
    splits: list[str], known: pd.DataFrame, cutoff: float | None, look: Theme
) -> tuple[list[Artist], list[str]]:
    handles: list[Artist] = []
    names = []
    for split in splits:
        errors = known.loc[known["split"] == split, "error"]
        missed = int(np.isinf(errors).sum())
        dot: dict[str, Any] = {"marker": "o", "markersize": 5, "linewidth": 1.8}
        handles.append(Line2D([], [], color=look.splits[split], **dot))
        names.append(f"{split} ({len(errors)}" + (f", {missed} missed)" if missed else ")"))
    handles.append(
        Line2D(
            [], [], color=look.ink, marker="|", linestyle="none", markersize=8, markeredgewidth=1.6
        )
    )
    names.append("median")
    if cutoff is not None:
        handles.append(
            Line2D(
                [],
                [],
                color=look.muted,
                marker="o",
                linestyle="none",
                markersize=4,
                fillstyle="none",
            )
        )
        names.append(f"likelihood below {cutoff:g}")
    return handles, names
