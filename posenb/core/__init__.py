"""Values: frozen, validated once in the constructor, trusted inside."""

from posenb.core.configs import (
    AnalyzeConfig,
    AugmentationConfig,
    Config,
    ModelConfig,
    SplitConfig,
    TrainConfig,
)
from posenb.core.description import ModelDescription
from posenb.core.frame_format import FrameFormat
from posenb.core.labels import FrameName, Labels, Visibility
from posenb.core.matching import match_keypoints
from posenb.core.poses import Poses
from posenb.core.skeleton import Skeleton
from posenb.core.split import Split

__all__ = [
    "AnalyzeConfig",
    "AugmentationConfig",
    "Config",
    "FrameFormat",
    "FrameName",
    "Labels",
    "ModelConfig",
    "ModelDescription",
    "Poses",
    "Skeleton",
    "Split",
    "SplitConfig",
    "TrainConfig",
    "Visibility",
    "match_keypoints",
]
