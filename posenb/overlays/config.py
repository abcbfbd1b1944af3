"""Options of a labelled video."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from posenb.core import Config
from posenb.plots.theme import ThemeName

__all__ = ["LabelledVideoConfig", "Moment"]

Seconds = Annotated[str, Field(pattern=r"^\d+(\.\d+)?s$")]
Moment = Annotated[int, Field(ge=0)] | Seconds
"""A frame index, or seconds from the first frame written like "12.5s"."""


class LabelledVideoConfig(Config):
    """What a labelled video shows.

    Attributes
    ----------
    start, stop : int, str or None
        Range, the end excluded: frames, or seconds written like "12.5s". None begins and
        ends with the poses.
    speed : float
        2 plays twice as fast. Above 60 frames per second frames are left out, below 10
        they are repeated.
    crop : (int, int, int, int) or None
        x1, x2, y1, y2 of the part that is shown, in pixels of the displayed video, the
        ends excluded (DeepLabCut's order).
    scale : float
        Size of the picture relative to the source, after cropping.
    keypoints : sequence of str or None
        The keypoints that are drawn; None draws all.
    colour : {"auto", "keypoint", "individual"}
        What has a colour of its own. "auto" takes individuals where there are several.
    likelihood : {"opacity", "cutoff", "ignore"}
        Whether unlikely keypoints are pale, are hidden below the cut-off, or are drawn
        like all others.
    cutoff : float
        Least likelihood of a position in trails and traces, and of all that is drawn
        where `likelihood` is "cutoff"; of no effect where it is "ignore".
    radius : float or "auto"
        Of a keypoint, in pixels of the made picture. "auto" goes by the size of the
        animals and of the picture.
    skeleton : bool
        Draw the skeleton's edges.
    past, future : float
        Seconds of the source over which trails of past and coming positions fade.
    names : {"none", "keypoints", "individuals"}
        Which names stand in the picture.
    stamp : {"none", "frame", "time", "both"}
        What stands in the lower left corner.
    traces : bool
        Show x and y against time beside the picture, with a cursor that moves.
    theme : {"light", "dark"}
        Colours of what is drawn and of the traces' background; the dark theme's are
        brighter.
    crf : int
        Constant rate factor of x264, 0 (lossless) to 51 (worst).
    bitrate : int or None
        Most kilobits per second, whatever `crf` would take; None sets no limit.
    """

    start: Moment | None = None
    stop: Moment | None = None
    speed: float = Field(default=1.0, ge=0.1, le=10)
    crop: tuple[int, int, int, int] | None = None
    scale: float = Field(default=1.0, gt=0, le=8)
    keypoints: tuple[str, ...] | None = None
    colour: Literal["auto", "keypoint", "individual"] = "auto"
    likelihood: Literal["opacity", "cutoff", "ignore"] = "opacity"
    cutoff: float = Field(default=0.6, ge=0, le=1)
    radius: Annotated[float, Field(gt=0, le=200)] | Literal["auto"] = "auto"
    skeleton: bool = True
    past: float = Field(default=0.5, ge=0)
    future: float = Field(default=0.0, ge=0)
    names: Literal["none", "keypoints", "individuals"] = "none"
    stamp: Literal["none", "frame", "time", "both"] = "both"
    traces: bool = False
    theme: ThemeName = "light"
    crf: int = Field(default=20, ge=0, le=51)
    bitrate: Annotated[int, Field(ge=1)] | None = None
