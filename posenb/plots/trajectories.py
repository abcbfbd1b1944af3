"""The page of trajectories: paths over a frame, x, y and likelihood against time."""

from __future__ import annotations

import base64
import html
import io
import json
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np

from posenb.core import Poses
from posenb.errors import InvalidInputError
from posenb.plots.packing import pack_poses
from posenb.plots.theme import DARK, FONT, LIGHT, ThemeName, find_theme

__all__ = [
    "TrajectoriesParts",
    "check_cutoff",
    "json_block",
    "notebook_frame",
    "page_code",
    "page_style",
    "trajectories_page",
    "trajectories_parts",
]

_SCRIPTS = ("recording.js", "drawing.js", "panels.js", "page.js")
_SHARPEST = 1280  # pixels of the longer side of the frame in the page


def trajectories_page(
    poses: Poses,
    *,
    image: np.ndarray | None = None,
    title: str = "Trajectories",
    note: str = "",
    cutoff: float = 0.6,
    theme: ThemeName = "light",
) -> str:
    """Return a page that opens offline in any browser: all it shows is in its text.

    All it does, it does in the browser. The page brings plotly.js, which draws its axes
    and zooms and moves them. The curves lie on canvases: of each column of pixels least
    and greatest value, so that no peak is lost, and every value where there is room.

    Parameters
    ----------
    poses : Poses
        Coordinates are kept to 1/16 px and likelihoods to thousandths, rounded down.
    image : ndarray of uint8, shape (H, W, 3), optional
        Frame of the video to lie below the paths, integers being pixel centres.
    title, note : str, optional
        Heading of the page, and what `image` is.
    cutoff : float, optional
        Points of a smaller likelihood are not shown at first. Points without a
        likelihood always are.
    theme : {"light", "dark"}, optional
        Look at first.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    InvalidInputError
        If `cutoff` is no likelihood or `image` no picture.
    UnknownNameError
        If there is no such theme.
    """
    parts = trajectories_parts(poses, image=image, note=note, cutoff=cutoff)
    return Template(_asset("page.html")).substitute(
        title=html.escape(title),
        facts=html.escape(parts.facts),
        theme=find_theme(theme).name,
        style=page_style(),
        tools=parts.tools,
        panels=parts.panels,
        blocks=f"{parts.data}\n{page_code()}",
    )


@dataclass(frozen=True, slots=True)
class TrajectoriesParts:
    """Pieces of a page of trajectories, for a page that shows more than these.

    Such a page has besides them `page_style`, a ``button`` and a ``p`` with the ids
    ``theme`` and ``trouble`` and, at its end, `page_code`.

    Parameters
    ----------
    facts : str
        What there is, in a line of text.
    tools : str
        HTML of the controls.
    panels : str
        HTML of the names and the panels.
    data : str
        HTML of the blocks that hold the data.
    """

    facts: str
    tools: str
    panels: str
    data: str


def trajectories_parts(
    poses: Poses,
    *,
    image: np.ndarray | None = None,
    note: str = "",
    cutoff: float = 0.6,
    reference: Poses | None = None,
    beside: str = "",
) -> TrajectoriesParts:
    """Return what a page of trajectories consists of.

    Parameters
    ----------
    poses, image, note, cutoff
        As for `trajectories_page`.
    reference : Poses, optional
        What to compare with, such as the truth where it is known: drawn broad and pale.
    beside : str, optional
        HTML of a panel to stand before the others.

    Raises
    ------
    InvalidInputError
        If `cutoff` is no likelihood, `image` no picture, or `reference` is of other
        keypoints or individuals.
    """
    check_cutoff(cutoff)
    told, data = _packed(poses)
    facts = {
        **told,
        "fps": poses.fps if _timed(poses) else None,
        "keypoints": poses.skeleton.keypoints,
        "individuals": poses.individuals,
        "edges": poses.skeleton.edges,
        "cutoff": cutoff,
        "image": None if image is None else _picture(image),
        "themes": {each.name: _tokens(each.name) for each in (LIGHT, DARK)},
    }
    blocks = [_block("text/plain", "poses-data", data)]
    if reference is not None:
        _check_same_lines(poses, reference)
        facts["reference"], data = _packed(reference)
        blocks.append(_block("text/plain", "reference-data", data))
    blocks.append(json_block("facts-data", facts))
    return TrajectoriesParts(
        _summary(poses),
        Template(_asset("tools.html")).substitute(cutoff=f"{cutoff:g}"),
        Template(_asset("panels.html")).substitute(
            note=html.escape(note),
            beside=beside,
            legend="" if reference is None else "Broad: truth. Thin: found. ",
        ),
        "\n".join(blocks),
    )


def page_style() -> str:
    """Return the CSS of a page of trajectories."""
    themes = "".join(
        f'html[data-theme="{each.name}"] {{ {each.css()} }}\n' for each in (LIGHT, DARK)
    )
    return themes + _asset("page.css").replace("$font", FONT)


def page_code() -> str:
    """Return the HTML of the scripts of a page of trajectories, plotly.js included.

    They leave the promise ``opening`` of the opened page, and tell the document by an
    event ``posenb-keep`` which frame was clicked, as the index of its pose or null.
    """
    code = "\n".join(_asset(name) for name in _SCRIPTS)
    return f"{_block('text/plain', 'plotly-code', _plotly_code())}\n<script>\n{code}</script>"


def json_block(name: str, value: Any) -> str:
    """Return the HTML of a block of data for scripts."""
    # "<" as an escape, so that no name can end the block
    return _block("application/json", name, json.dumps(value).replace("<", "\\u003c"))


def notebook_frame(page: str, height: int) -> str:
    """Return HTML that shows a page in the output of a notebook's cell.

    A frame of its own keeps the page's style and scripts from those of the notebook, and
    works wherever outputs may hold scripts: Colab, JupyterLab, the classic notebook, VS
    Code, and pages made of notebooks.
    """
    return (
        f'<iframe srcdoc="{html.escape(page)}" title="posenb" loading="eager" '
        f'style="display: block; width: 100%; height: {height}px; border: 0"></iframe>'
    )


def check_cutoff(cutoff: float) -> None:
    """Check that a cut-off is a likelihood.

    Raises
    ------
    InvalidInputError
        If it is not between 0 and 1.
    """
    if not 0 <= cutoff <= 1:
        raise InvalidInputError(f"A cut-off is a likelihood from 0 to 1; got {cutoff!r}.")


def _packed(poses: Poses) -> tuple[dict[str, Any], str]:
    """Return the facts a script needs to unpack the values of poses, and the values."""
    assert poses.frames is not None
    pack, data = pack_poses(poses)
    start = int(poses.frames[0]) if len(poses) else 0
    return {"count": len(poses), "start": start, "pack": pack}, _compressed(data)


def _check_same_lines(poses: Poses, reference: Poses) -> None:
    ours = (poses.individuals, poses.skeleton.keypoints)
    if (reference.individuals, reference.skeleton.keypoints) != ours:
        raise InvalidInputError(
            "Poses are compared with poses of the same individuals and keypoints; got "
            f"{', '.join(reference.skeleton.keypoints)} of {reference.individuals} for "
            f"{', '.join(ours[1])} of {ours[0]}. Choose the keypoints that both have."
        )


def _timed(poses: Poses) -> bool:
    return bool(np.isfinite(poses.fps) and poses.fps > 0)


def _summary(poses: Poses) -> str:
    """Tell in a line what there is."""
    count = len(poses)
    words = [f"{count:,} frame{'s' * (count != 1)}"]
    if len(poses.individuals) > 1:
        words.append(f"{len(poses.individuals)} individuals")
    keypoints = len(poses.skeleton)
    words.append(f"{keypoints} keypoint{'s' * (keypoints != 1)}")
    words.append(f"{poses.fps:.4g} frames/s" if _timed(poses) else "frame rate unknown")
    return " · ".join(words)


def _tokens(name: ThemeName) -> dict[str, Any]:
    theme = find_theme(name)
    colours = {each: getattr(theme, each) for each in ("paper", "ink", "muted", "faint")}
    return {**colours, "keypoints": theme.keypoints, "font": FONT}


def _picture(image: np.ndarray) -> dict[str, Any]:
    from PIL import Image

    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise InvalidInputError(
            f"A frame is an array of uint8 of shape (height, width, 3); got {image.dtype} of "
            f"shape {image.shape}."
        )
    height, width = image.shape[:2]
    small = Image.fromarray(image)
    small.thumbnail((_SHARPEST, _SHARPEST))
    data = io.BytesIO()
    small.save(data, format="jpeg", quality=85)
    source = "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
    return {"width": width, "height": height, "source": source}


def _block(kind: str, name: str, text: str) -> str:
    return f'<script type="{kind}" id="{name}">{text}</script>'


def _compressed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode()


def _asset(name: str) -> str:
    return files("posenb.plots").joinpath("page", name).read_text("utf-8")


@cache
def _plotly_code() -> str:
    from plotly.offline import get_plotlyjs

    return _compressed(get_plotlyjs().encode())
