"""The page of the demonstration: what was found, drawn over what is true."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image
from plotly.subplots import make_subplots

from posenb.core import Poses
from posenb.plots.style import FAINT, INK, MUTED, keypoint_colours
from posenb.plots.theme import FONT, MONOSPACE

__all__ = ["demo_page", "plot_paths", "plot_traces"]

_TRUTH = 0.3  # opacity of the broad lines that show the truth
_COLUMNS = {"mean": "mean", "median": "median", "p95": "95 % below"}
_CONFIG = {"displaylogo": False, "responsive": True, "displayModeBar": False}

_STYLE = f"""
:root {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: #fff; color: {INK}; font: 15px/1.5 {FONT}; }}
main {{ max-width: 1080px; margin: 0 auto; padding: 32px 24px 48px; }}
h1 {{ margin: 0 0 4px; font-size: 26px; }}
h2 {{ margin: 36px 0 4px; font-size: 17px; }}
p {{ margin: 4px 0; max-width: 72ch; }}
.note {{ color: {MUTED}; }}
.pair {{ display: grid; grid-template-columns: minmax(0, 1.45fr) minmax(0, 1fr);
  gap: 0 40px; align-items: start; }}
@media (max-width: 800px) {{ .pair {{ grid-template-columns: minmax(0, 1fr); }} }}
table {{ border-collapse: collapse; width: 100%; margin-top: 12px;
  font-variant-numeric: tabular-nums; }}
th, td {{ padding: 5px 0 5px 12px; text-align: right; border-bottom: 1px solid {FAINT}; }}
th {{ font-weight: 600; }}
thead th {{ color: {MUTED}; font-weight: 400; }}
th:first-child, td:first-child {{ padding-left: 0; text-align: left; }}
tbody tr:last-child > * {{ border-bottom: 0; font-weight: 600; }}
i {{ display: inline-block; width: 10px; height: 10px; margin-right: 8px; border-radius: 5px; }}
dl {{ display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 24px;
  margin: 12px 0 0; }}
dt {{ color: {MUTED}; }}
dd {{ margin: 0; overflow-wrap: anywhere; font-family: {MONOSPACE};
  font-size: 13px; line-height: 23px; }}
"""


def demo_page(
    image: np.ndarray,
    found: Poses,
    truth: Poses,
    errors: pd.DataFrame,
    *,
    labelled: int,
    files: Mapping[str, str],
) -> str:
    """Return a page that opens offline: all it shows is in its text.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        A frame of the video.
    found, truth : Poses
        Of the same frames, one animal.
    errors : DataFrame
        Distances in pixels, as `posenb.evaluation.summarise` gives them; the last row
        is about all keypoints.
    labelled : int
        Frames that were labelled.
    files : mapping of str to str
        What was left where.

    Returns
    -------
    str
        HTML.
    """
    unseen = len(truth) - labelled
    mean = errors["mean"].iloc[-1]
    paths = plot_paths(image, found, truth).to_html(
        full_html=False, include_plotlyjs=True, config=_CONFIG, div_id="paths"
    )
    traces = plot_traces(found, truth).to_html(
        full_html=False, include_plotlyjs=False, config=_CONFIG, div_id="traces"
    )
    listing = "".join(
        f"<dt>{html.escape(what)}</dt><dd>{html.escape(where)}</dd>"
        for what, where in files.items()
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>posenb demo</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{mean:.1f} px from the truth</h1>
<p>A made mouse walks for {len(truth)} frames. {labelled} of them were labelled, a network was
trained on those, and it then found the mouse in all. On the {unseen} frames that it was never
shown, its keypoints lie {mean:.1f} px from the truth on average.</p>
<div class="pair">
<section>
<h2>Where the mouse went</h2>
<p class="note">Broad: truth. Thin: found. Click a name to show or hide it.</p>
{paths}
</section>
<section>
<h2>Error in pixels</h2>
<p class="note">On the {unseen} frames without labels.</p>
{_table(errors)}
</section>
</div>
<h2>Through time</h2>
<p class="note">Broad: truth. Thin: found. Drag to look closer, double-click to return.</p>
{traces}
<h2>What lies where</h2>
<dl>{listing}</dl>
</main>
</body>
</html>
"""


def plot_paths(image: np.ndarray, found: Poses, truth: Poses) -> go.Figure:
    """Draw the way of each keypoint over a frame, true and found.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    found, truth : Poses
        Of one animal.

    Returns
    -------
    plotly Figure
        In pixels; y points down, as in images.
    """
    height, width = image.shape[:2]
    figure = go.Figure()
    figure.add_layout_image(
        source=_data_url(image),
        xref="x",
        yref="y",
        x=-0.5,
        y=-0.5,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
        opacity=0.75,
    )
    for k, (name, colour) in enumerate(_keypoints(found)):
        shown = True if k in _ends(found) else "legendonly"
        for poses, look, legend in (
            (truth, {"width": 6, "color": _pale(colour)}, False),
            (found, {"width": 1.6, "color": colour}, True),
        ):
            figure.add_scatter(
                **_curve(poses.positions[:, 0, k, 0], poses.positions[:, 0, k, 1], look),
                name=name,
                legendgroup=name,
                showlegend=legend,
                visible=shown,
            )
    _dress(figure, height=480)
    figure.update_xaxes(range=[-0.5, width - 0.5], visible=False, constrain="domain")
    figure.update_yaxes(
        range=[height - 0.5, -0.5], visible=False, scaleanchor="x", constrain="domain"
    )
    figure.update_yaxes(constraintoward="top")
    figure.update_layout(
        legend={"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
        margin={"l": 0, "r": 0, "t": 40, "b": 0},
        dragmode=False,
    )
    return figure


def plot_traces(found: Poses, truth: Poses) -> go.Figure:
    """Draw x, y and likelihood of each keypoint against time, true and found.

    Parameters
    ----------
    found, truth : Poses
        Of one animal.

    Returns
    -------
    plotly Figure
        Time in seconds, x and y in pixels; y points down, as in images.
    """
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, row_heights=[2, 2, 1], vertical_spacing=0.04
    )
    for k, (name, colour) in enumerate(_keypoints(found)):
        group: dict[str, Any] = {"name": name, "legendgroup": name}
        for axis in (0, 1):
            for poses, look, legend in (
                (truth, {"width": 6, "color": _pale(colour)}, False),
                (found, {"width": 1.6, "color": colour}, axis == 0),
            ):
                curve = _curve(poses.times, poses.positions[:, 0, k, axis], look)
                figure.add_scatter(**curve, **group, showlegend=legend, row=axis + 1, col=1)
        curve = _curve(found.times, found.likelihoods[:, 0, k], {"width": 1.6, "color": colour})
        figure.add_scatter(**curve, **group, showlegend=False, row=3, col=1)
    _dress(figure, height=640)
    line = {"showline": True, "linecolor": MUTED, "gridcolor": FAINT, "zeroline": False}
    figure.update_xaxes(**line, showgrid=False, range=[0, float(truth.times[-1])])
    figure.update_yaxes(**line, title_standoff=8)
    figure.update_xaxes(title_text="time (s)", row=3)
    figure.update_yaxes(title_text="x (px)", row=1)
    figure.update_yaxes(title_text="y (px, down)", autorange="reversed", row=2)
    figure.update_yaxes(title_text="likelihood", range=[-0.03, 1.03], row=3, tickvals=[0, 0.5, 1])
    figure.update_layout(
        legend={"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
        margin={"l": 64, "r": 8, "t": 40, "b": 48},
        hovermode="x",
    )
    return figure


def _table(errors: pd.DataFrame) -> str:
    head = "".join(f"<th>{title}</th>" for title in _COLUMNS.values())
    colours = [*keypoint_colours(len(errors) - 1), "transparent"]
    rows = "".join(
        f'<tr><th><i style="background:{colour}"></i>{html.escape(str(row["keypoint"]))}</th>'
        + "".join(f"<td>{row[name]:.1f}</td>" for name in _COLUMNS)
        + "</tr>"
        for colour, (_, row) in zip(colours, errors.iterrows(), strict=True)
    )
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _keypoints(poses: Poses) -> list[tuple[str, str]]:
    names = poses.skeleton.keypoints
    return list(zip(names, keypoint_colours(len(names)), strict=True))


def _ends(poses: Poses) -> tuple[int, int]:
    """Return the two keypoints that are shown at first: more would hide each other."""
    return 0, len(poses.skeleton) - 1


def _curve(x: np.ndarray, y: np.ndarray, line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "x": np.round(x, 3),
        "y": np.round(y, 3),
        "mode": "lines",
        "line": dict(line),
        "hoverinfo": "skip" if line["width"] > 2 else "x+y+name",
    }


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return f"rgba({red},{green},{blue},{_TRUTH})"


def _data_url(image: np.ndarray) -> str:
    data = io.BytesIO()
    Image.fromarray(image).save(data, format="png")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def _dress(figure: go.Figure, height: int) -> None:
    figure.update_layout(
        height=height,
        template="none",
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
    )
