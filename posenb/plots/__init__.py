"""Figures: data in, figure out.

Each function is fetched when it is first used: rooms that only need colours, or pages
that the browser draws, do not load matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posenb.plots.errors import plot_errors
    from posenb.plots.frames import draw_worst_frame
    from posenb.plots.learning import plot_learning_curve
    from posenb.plots.likelihood import plot_likelihood
    from posenb.plots.paths import plot_paths
    from posenb.plots.positions import plot_positions
    from posenb.plots.steps import plot_steps

__all__ = [
    "draw_worst_frame",
    "plot_errors",
    "plot_learning_curve",
    "plot_likelihood",
    "plot_paths",
    "plot_positions",
    "plot_steps",
]

_MODULES = {
    "draw_worst_frame": "frames",
    "plot_errors": "errors",
    "plot_learning_curve": "learning",
    "plot_likelihood": "likelihood",
    "plot_paths": "paths",
    "plot_positions": "positions",
    "plot_steps": "steps",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
