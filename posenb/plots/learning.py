"""How a training went."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from posenb.errors import InvalidInputError
from posenb.plots.style import (
    SMALL,
    dress,
    new_figure,
    scale_logarithmically,
    theme_of,
)
from posenb.plots.theme import ThemeName

__all__ = ["plot_learning_curve"]

_COLUMNS = ("step", "seconds", "loss", "validation_error")


def plot_learning_curve(history: pd.DataFrame, *, theme: ThemeName = "light") -> Figure:
    """Draw loss and validation error against training steps, and mark the best step.

    Parameters
    ----------
    history : DataFrame
        Columns ``step``, ``seconds`` since the start, ``loss`` and
        ``validation_error`` (pixels; NaN in a training without validation frames), one
        row a validation.
    theme : {"light", "dark"}, optional
        The colours.

    Returns
    -------
    Figure

    Raises
    ------
    InvalidInputError
        If a column is missing or there is no row.
    UnknownNameError
        If there is no such theme.
    """
    lacking = [name for name in _COLUMNS if name not in history.columns]
    if lacking or history.empty:
        raise InvalidInputError(
            f"A history has the columns {', '.join(_COLUMNS)} and at least one row; got "
            f"{len(history)} rows and the columns {', '.join(map(str, history.columns))}."
        )
    steps = history["step"].to_numpy(float)
    validation = history["validation_error"].to_numpy(float)
    validated = bool(np.isfinite(validation).any())
    figure = new_figure(6.4, 4.2 if validated else 2.4, theme=theme)
    look = theme_of(figure)
    panels = figure.subplots(2 if validated else 1, 1, sharex=True, squeeze=False)[:, 0]
    if validated:
        dress(panels[0], grid="y", y="validation error (px)")
        _draw_curve(panels[0], steps, validation, look.splits["validation"])
        _mark_best(panels[0], steps, validation)
        panels[0].tick_params(axis="x", which="both", length=0)
    dress(panels[-1], grid="y", x="training step", y="loss")
    _draw_curve(panels[-1], steps, history["loss"].to_numpy(float), look.splits["train"])
    panels[-1].set_xlim(0, steps.max() * 1.02)
    duration = _duration(float(history["seconds"].iloc[-1]))
    panels[0].set_title(
        f"{steps.max():.0f} steps in {duration}", fontsize=SMALL, color=look.muted, loc="right"
    )
    return figure


def _draw_curve(axes: Axes, steps: np.ndarray, values: np.ndarray, colour: str) -> None:
    many = len(steps) > 60
    axes.plot(
        steps, values, color=colour, linewidth=1.8, marker="" if many else "o", markersize=3.5
    )
    known = values[np.isfinite(values)]
    positive = known.size and known.min() > 0
    if positive and known.max() > 20 * known.min():
        scale_logarithmically(axes.yaxis, known)
    elif positive:
        axes.set_ylim(0, known.max() * 1.08)


def _mark_best(axes: Axes, steps: np.ndarray, validation: np.ndarray) -> None:
    best = int(np.nanargmin(validation))
    ink = theme_of(axes.figure).ink
    axes.plot(
        *(steps[best], validation[best]),
        marker="o",
        markersize=8,
        markerfacecolor="none",
        color=ink,
    )
    axes.set_title(
        f"best: {validation[best]:.2f} px at step {steps[best]:.0f}",
        fontsize=SMALL + 1,
        color=ink,
        loc="left",
    )


def _duration(seconds: float) -> str:
    if not np.isfinite(seconds) or seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
