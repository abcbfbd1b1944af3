"""Running a trained model: over videos chunk by chunk, and over labelled frames to judge it."""

from posenb.inference.analyze import analyze
from posenb.inference.evaluate import evaluate
from posenb.inference.evaluate_config import EvaluateConfig
from posenb.inference.evaluation_files import Evaluation
from posenb.inference.quantising import quantise
from posenb.inference.record import load_poses
from posenb.inference.runtimes import Predict
from posenb.inference.source import source_video

__all__ = [
    "EvaluateConfig",
    "Evaluation",
    "Predict",
    "analyze",
    "evaluate",
    "load_poses",
    "quantise",
    "source_video",
]
