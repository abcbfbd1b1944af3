from posenb import zoo as zoo
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
from posenb.demonstration import demo as demo
from posenb.demonstration import demo_training as demo_training
from posenb.demonstration import sample_project as sample_project
from posenb.errors import PosenbError as PosenbError
from posenb.extraction import ExtractConfig as ExtractConfig
from posenb.extraction import extract_frames as extract_frames
from posenb.inference import EvaluateConfig as EvaluateConfig
from posenb.inference import Evaluation as Evaluation
from posenb.inference import analyze as analyze
from posenb.inference import evaluate as evaluate
from posenb.inference import load_poses as load_poses
from posenb.inference import quantise as quantise
from posenb.jobs import stop_training as stop_training
from posenb.jobs import wait_for_training as wait_for_training
from posenb.live import LiveConfig as LiveConfig
from posenb.live import LiveRecording as LiveRecording
from posenb.live import analyze_live as analyze_live
from posenb.overlays import LabelledVideoConfig as LabelledVideoConfig
from posenb.overlays import labelled_video as labelled_video
from posenb.plots import plot_errors as plot_errors
from posenb.plots import plot_learning_curve as plot_learning_curve
from posenb.plots import plot_likelihood as plot_likelihood
from posenb.plots import plot_paths as plot_paths
from posenb.plots import plot_positions as plot_positions
from posenb.plots import plot_steps as plot_steps
from posenb.project import Project as Project
from posenb.project import Run as Run
from posenb.project import add_videos as add_videos
from posenb.project import create_project as create_project
from posenb.project import list_runs as list_runs
from posenb.project import open_project as open_project
from posenb.project import open_run as open_run
from posenb.project import to_dlc as to_dlc
from posenb.reports import report as report
from posenb.training import train as train
from posenb.views import Trajectories as Trajectories
from posenb.views import plot as plot
from posenb.views import plot_trajectories as plot_trajectories
from posenb.widgets import LabelCheck as LabelCheck
from posenb.widgets import Watch as Watch
from posenb.widgets import browse as browse
from posenb.widgets import check_labels as check_labels
from posenb.widgets import label as label
from posenb.widgets import pick_frames as pick_frames
from posenb.widgets import upload as upload
from posenb.widgets import watch as watch

__version__: str
__all__ = [
    "AnalyzeConfig",
    "AugmentationConfig",
    "EvaluateConfig",
    "Evaluation",
    "ExtractConfig",
    "FrameName",
    "LabelCheck",
    "LabelledVideoConfig",
    "Labels",
    "LiveConfig",
    "LiveRecording",
    "ModelConfig",
    "PosenbError",
    "Poses",
    "Project",
    "Run",
    "Skeleton",
    "Split",
    "SplitConfig",
    "TrainConfig",
    "Trajectories",
    "Visibility",
    "Watch",
    "add_videos",
    "analyze",
    "analyze_live",
    "browse",
    "check_labels",
    "create_project",
    "demo",
    "demo_training",
    "evaluate",
    "extract_frames",
    "label",
    "labelled_video",
    "list_runs",
    "load_poses",
    "open_project",
    "open_run",
    "pick_frames",
    "plot",
    "plot_errors",
    "plot_learning_curve",
    "plot_likelihood",
    "plot_paths",
    "plot_positions",
    "plot_steps",
    "plot_trajectories",
    "quantise",
    "report",
    "sample_project",
    "stop_training",
    "to_dlc",
    "train",
    "upload",
    "wait_for_training",
    "watch",
    "zoo",
]
