"""Options of live analysis."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from posenb.core import Config

__all__ = ["LiveConfig"]

Side = Annotated[int, Field(ge=32, multiple_of=32)]


class LiveConfig(Config):
    """How frames are analyzed while they come.

    Attributes
    ----------
    drop : bool
        Whether the newest frame wins: frames that came while another one was worked on
        are left out and counted. Otherwise, and of a file always, each frame is taken in
        turn, and the source is held back.
    frames : int or None
        End after so many poses.
    seconds : float or None
        End with the first frame after so many seconds.
    dynamic_crop : bool
        Look only at a square around the last pose, which takes less time where the animal
        is small in the picture.
    crop_sizes : tuple of int or None
        Sides of the squares, pixels, multiples of 32: few, for the model is compiled for
        each before the first frame. By default about 25, 40 and 55 % of the frame's
        longer side.
    margin : int
        Pixels around the last pose that its square must have at least.
    look_up : int
        Look at the whole frame again after so many frames at the latest.
    min_likelihood : float
        Keypoints below it are not followed by the crop and not forecast.
    forecast : bool
        Forecast each keypoint to the moment its pose is handed over.
    lead : float
        Seconds to forecast beyond that: the delays before and after posenb, of the camera
        and of what is driven.
    smoothing : float
        Share of each new position in the forecast's filter, above 0 to 1 (alpha).
    on_error : {"report", "raise"}
        What becomes of errors of the processor: logged and counted, or raised, which ends
        the loop.
    runtime, precision : str
        What computes and in what, as in `AnalyzeConfig`.
    """

    drop: bool = True
    frames: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, gt=0)
    dynamic_crop: bool = False
    crop_sizes: tuple[Side, ...] | None = None
    margin: int = Field(default=48, ge=0)
    look_up: int = Field(default=30, ge=1)
    min_likelihood: float = Field(default=0.6, ge=0, le=1)
    forecast: bool = False
    lead: float = Field(default=0.0, ge=0, le=1)
    smoothing: float = Field(default=0.9, gt=0, le=1)
    on_error: Literal["report", "raise"] = "report"
    runtime: Literal["auto", "keras", "openvino", "onnxruntime"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto"
