"""The page of trajectories: paths over a frame, x, y and likelihood against time."""

from __future__ import annotations

import base64
import html
import io
import json
import zlib
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np

from posenb.core import Poses
from posenb.errors import InvalidInputError
from posenb.plots.packing import pack_poses
from posenb.plots.theme import DARK, FONT, LIGHT, ThemeName, find_theme

__all__ = ["check_cutoff", "notebook_frame", "trajectories_page"]

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
    check_cutoff(cutoff)
    pack, data = pack_poses(poses)
    assert poses.frames is not None
    facts = {
        "count": len(poses),
        "start": int(poses.frames[0]) if len(poses) else 0,
        "fps": poses.fps if _timed(poses) else None,
        "keypoints": poses.skeleton.keypoints,
        "individuals": poses.individuals,
        "edges": poses.skeleton.edges,
        "cutoff": cutoff,
        "image": None if image is None else _picture(image),
        "themes": {each.name: _tokens(each.name) for each in (LIGHT, DARK)},
        "pack": pack,
    }
    blocks = [
        # "<" as an escape, so that no name can end the block
        _block("application/json", "facts-data", json.dumps(facts).replace("<", "\\u003c")),
        _block("text/plain", "poses-data", _compressed(data)),
        _block("text/plain", "plotly-code", _plotly_code()),
        f"<script>\n{_code()}</script>",
    ]
    return Template(_asset("page.html")).substitute(
        title=html.escape(title),
        facts=html.escape(_summary(poses)),
        note=html.escape(note),
        theme=find_theme(theme).name,
        cutoff=f"{cutoff:g}",
        style=_style(),
        blocks="\n".join(blocks),
    )


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
    words.append(f"{poses.fps:.6g} frames/s" if _timed(poses) else "frame rate unknown")
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


def _code() -> str:
    return "\n".join(_asset(name) for name in _SCRIPTS)


def _style() -> str:
    themes = "".join(
        f'html[data-theme="{each.name}"] {{ {each.css()} }}\n' for each in (LIGHT, DARK)
    )
    return themes + _asset("page.css").replace("$font", FONT)


@cache
def _plotly_code() -> str:
    from plotly.offline import get_plotlyjs

    return _compressed(get_plotlyjs().encode())
