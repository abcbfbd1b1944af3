"""Whatever computes poses from raw frames, behind one small protocol."""

from posenb.inference.runtimes.choice import Choice, accelerated, choose_runtime
from posenb.inference.runtimes.protocol import Crop, Predict

__all__ = ["Choice", "Crop", "Predict", "accelerated", "choose_runtime"]
