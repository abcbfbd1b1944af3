"""How far predictions are from labels, and labels from each other: arrays in, tables out."""

from posenb.evaluation.pixels import pixel_errors, worst_frames
from posenb.evaluation.summary import ALL, check_limits, pck_column, summarise
from posenb.evaluation.suspects import Suspect, find_suspects
from posenb.evaluation.tables import tabulate_errors

__all__ = [
    "ALL",
    "Suspect",
    "check_limits",
    "find_suspects",
    "pck_column",
    "pixel_errors",
    "summarise",
    "tabulate_errors",
    "worst_frames",
]
