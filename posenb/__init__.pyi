from posenb.core import AnalyzeConfig as AnalyzeConfig
from posenb.core import AugmentationConfig as AugmentationConfig
from posenb.core import FrameName as FrameName
from posenb.core import Labels as Labels
from posenb.core import ModelConfig as ModelConfig
from posenb.core import Poses as Poses
from posenb.core import Skeleton as Skeleton
from posenb.core import Split as Split
from posenb.core import SplitConfig as SplitConfig
from posenb.core import TrainConfig as TrainConfig
from posenb.core import Visibility as Visibility
from posenb.errors import PosenbError as PosenbError

__version__: str
__all__ = [
    "AnalyzeConfig",
    "AugmentationConfig",
    "FrameName",
    "Labels",
    "ModelConfig",
    "PosenbError",
    "Poses",
    "Skeleton",
    "Split",
    "SplitConfig",
    "TrainConfig",
    "Visibility",
]
