"""Options of evaluation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from posenb.core import Config
from posenb.core.configs import Scale

__all__ = ["EvaluateConfig"]


def _different(distances: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(distances)) < len(distances):
        raise ValueError("each distance stands once")
    return distances


Distance = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class EvaluateConfig(Config):
    """How the predictions of a run are compared with the labels.

    Attributes
    ----------
    cutoff : float
        Predictions of this likelihood or more count as confident.
    pck : tuple of float
        Distances in pixels within which a keypoint counts as correct.
    worst : int
        How many frames to draw, those with the largest mean error.
    figures : bool
        Whether to draw figures.
    runtime, precision : str
        What computes and in what, as in `AnalyzeConfig`, which also decides by default:
        so the errors are those of an analysis.
    flip : bool
        Look at every frame mirrored too, as in `AnalyzeConfig`.
    scales : tuple of float
        Look at every frame at these sizes, as in `AnalyzeConfig`.
    """

    cutoff: float = Field(default=0.6, ge=0, le=1)
    pck: Annotated[tuple[Distance, ...], AfterValidator(_different)] = (5.0, 10.0)
    worst: int = Field(default=9, ge=0)
    figures: bool = True
    runtime: Literal["auto", "keras", "openvino", "onnxruntime"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto"
    flip: bool = False
    scales: Annotated[tuple[Scale, ...], Field(min_length=1, max_length=8)] = (1.0,)
