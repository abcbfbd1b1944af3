"""Whatever computes poses from raw frames, behind one small protocol."""

from posenb.inference.runtimes.protocol import Predict

__all__ = ["Predict"]
