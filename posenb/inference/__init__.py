"""Running a trained model over videos, chunk by chunk."""

from posenb.inference.analyze import analyze
from posenb.inference.chunks import Predict
from posenb.inference.record import load_poses

__all__ = ["Predict", "analyze", "load_poses"]
