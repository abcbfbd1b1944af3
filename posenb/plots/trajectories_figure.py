"""The same panels as a plain figure of plotly, for those who want to change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from posenb.core import Poses
from posenb.plots.theme import FONT, Theme, ThemeName, find_theme, keypoint_colours
from posenb.plots.trajectories import check_cutoff

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["trajectories_figure"]

_DASHES = ("solid", "dash", "dot", "dashdot")
_LONG = 10_000  # points of a line from which on the graphics card draws it
_PANELS = (("x", "y"), ("x2", "y2"), ("x3", "y3"), ("x4", "y4"))


def trajectories_figure(
    poses: Poses,
    *,
    image: np.ndarray | None = None,
    title: str = "Trajectories",
    cutoff: float = 0.6,
    theme: ThemeName = "light",
) -> go.Figure:
    """Draw paths over a frame and x, y and likelihood against time, with plotly alone.

    The figure holds every point, so it is slow where a recording is long; the page of
    `trajectories_page` is not. Its legend shows and hides a keypoint of an individual in
    all panels.

    Parameters
    ----------
    poses : Poses
    image : ndarray of uint8, shape (H, W, 3), optional
        Frame of the video to lie below the paths.
    title : str, optional
    cutoff : float, optional
        Points of a smaller likelihood are left out; those without a likelihood are not.
    theme : {"light", "dark"}, optional

    Returns
    -------
    plotly Figure
        In pixels and seconds, or frames where the frame rate is unknown; y points down,
        as in images.

    Raises
    ------
    InvalidInputError
        If `cutoff` is no likelihood.
    UnknownNameError
        If there is no such theme.
    """
    import plotly.graph_objects as go

    check_cutoff(cutoff)
    look = find_theme(theme)
    figure = go.Figure()
    for line in _lines(poses, cutoff, theme):
        figure.add_traces(line)
    if image is not None:
        _lay_below(figure, image)
    _arrange(figure, image is not None)
    _dress(figure, look, title, timed=bool(np.isfinite(poses.fps)))
    return figure


def _lines(poses: Poses, cutoff: float, theme: ThemeName) -> list[list[dict[str, Any]]]:
    """Return the four curves of each keypoint of each individual."""
    assert poses.frames is not None
    times = poses.times if np.isfinite(poses.fps) else poses.frames
    colours = keypoint_colours(len(poses.skeleton), theme)
    kind = "scattergl" if len(poses) > _LONG else "scatter"
    found = []
    for i, individual in enumerate(poses.individuals):
        for k, keypoint in enumerate(poses.skeleton.keypoints):
            likelihood = poses.likelihoods[:, i, k]
            # not "at least": what has no likelihood cannot be below
            shown = ~(likelihood < cutoff)
            x, y = (np.where(shown, poses.positions[:, i, k, axis], np.nan) for axis in (0, 1))
            sure = np.where(shown, likelihood, np.nan)
            name = f"{individual}: {keypoint}" if len(poses.individuals) > 1 else keypoint
            shared = {
                "type": kind,
                "mode": "lines",
                "name": name,
                "legendgroup": name,
                "line": {
                    "color": colours[k],
                    "width": 1.3,
                    "dash": _DASHES[i % len(_DASHES)],
                },
                "customdata": poses.frames,
                "hovertemplate": "frame %{customdata}<br>%{x:.6~g}, %{y:.6~g}",
            }
            curves = ((x, y), (times, x), (times, y), (times, sure))
            found.append(
                [
                    {
                        **shared,
                        "x": across,
                        "y": down,
                        "xaxis": _PANELS[n][0],
                        "yaxis": _PANELS[n][1],
                        "showlegend": n == 0,
                    }
                    for n, (across, down) in enumerate(curves)
                ]
            )
    return found


def _lay_below(figure: go.Figure, image: np.ndarray) -> None:
    from PIL import Image

    height, width = image.shape[:2]
    figure.add_layout_image(
        source=Image.fromarray(image),
        xref="x",
        yref="y",
        x=-0.5,
        y=-0.5,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )
    figure.update_layout(
        xaxis_range=[-0.5, width - 0.5], yaxis_range=[height - 0.5, -0.5], yaxis_autorange=False
    )


def _arrange(figure: go.Figure, over_image: bool) -> None:
    left, right = [0.0, 0.38], [0.46, 1.0]
    figure.update_layout(
        xaxis={"domain": left, "constrain": "domain", "title_text": "x (px)"},
        yaxis={
            "domain": [0.0, 1.0],
            "scaleanchor": "x",
            "constrain": "domain",
            "constraintoward": "top",
        },
        xaxis2={"domain": right, "anchor": "y2", "matches": "x4", "showticklabels": False},
        xaxis3={"domain": right, "anchor": "y3", "matches": "x4", "showticklabels": False},
        xaxis4={"domain": right, "anchor": "y4"},
        yaxis2={"domain": [0.64, 1.0], "anchor": "x2", "title_text": "x (px)"},
        yaxis3={"domain": [0.24, 0.6], "anchor": "x3", "title_text": "y (px, down)"},
        yaxis4={"domain": [0.0, 0.2], "anchor": "x4", "title_text": "likelihood"},
    )
    figure.update_layout(yaxis_title_text="y (px, down)", yaxis3_autorange="reversed")
    figure.update_layout(yaxis4_range=[-0.04, 1.04])
    if not over_image:
        figure.update_layout(yaxis_autorange="reversed")


def _dress(figure: go.Figure, look: Theme, title: str, *, timed: bool) -> None:
    line = {"showline": True, "linecolor": look.muted, "zeroline": False, "ticks": "outside"}
    figure.update_xaxes(**line, tickcolor=look.muted, showgrid=False, title_standoff=6)
    figure.update_yaxes(**line, tickcolor=look.muted, gridcolor=look.faint, title_standoff=6)
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0, "xref": "paper"},
        font={"family": FONT, "size": 13, "color": look.ink},
        paper_bgcolor=look.paper,
        plot_bgcolor=look.paper,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        hovermode="closest",
        height=680,
        margin={"l": 64, "r": 16, "t": 110, "b": 48},
        yaxis_showgrid=False,  # it would lie over the frame
        xaxis4_title_text="time (s)" if timed else "frame",
    )
