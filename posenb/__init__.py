"""Markerless pose estimation that lives in the notebook and the cloud.

Importing posenb loads none of its rooms: each public name is fetched from its
room the first time it is asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> "module:attribute", or a room whose verbs go by its name. __init__.pyi says the
# same to type checkers and editors.
_PUBLIC = {
    "AnalyzeConfig": "posenb.core:AnalyzeConfig",
    "AugmentationConfig": "posenb.core:AugmentationConfig",
    "EvaluateConfig": "posenb.inference:EvaluateConfig",
    "Evaluation": "posenb.inference:Evaluation",
    "ExtractConfig": "posenb.extraction:ExtractConfig",
    "FrameName": "posenb.core:FrameName",
    "LabelCheck": "posenb.widgets:LabelCheck",
    "LabelledVideoConfig": "posenb.overlays:LabelledVideoConfig",
    "Labels": "posenb.core:Labels",
    "LiveConfig": "posenb.live:LiveConfig",
    "LiveRecording": "posenb.live:LiveRecording",
    "ModelConfig": "posenb.core:ModelConfig",
    "PosenbError": "posenb.errors:PosenbError",
    "Poses": "posenb.core:Poses",
    "Project": "posenb.project:Project",
    "Run": "posenb.project:Run",
    "Skeleton": "posenb.core:Skeleton",
    "Split": "posenb.core:Split",
    "SplitConfig": "posenb.core:SplitConfig",
    "TrainConfig": "posenb.core:TrainConfig",
    "Trajectories": "posenb.views:Trajectories",
    "Visibility": "posenb.core:Visibility",
    "Watch": "posenb.widgets:Watch",
    "add_videos": "posenb.project:add_videos",
    "analyze": "posenb.inference:analyze",
    "analyze_live": "posenb.live:analyze_live",
    "browse": "posenb.widgets:browse",
    "check_labels": "posenb.widgets:check_labels",
    "create_project": "posenb.project:create_project",
    "demo": "posenb.demonstration:demo",
    "demo_training": "posenb.demonstration:demo_training",
    "evaluate": "posenb.inference:evaluate",
    "extract_frames": "posenb.extraction:extract_frames",
    "label": "posenb.widgets:label",
    "labelled_video": "posenb.overlays:labelled_video",
    "list_runs": "posenb.project:list_runs",
    "load_poses": "posenb.inference:load_poses",
    "open_project": "posenb.project:open_project",
    "open_run": "posenb.project:open_run",
    "pick_frames": "posenb.widgets:pick_frames",
    "plot": "posenb.views:plot",
    "plot_errors": "posenb.plots:plot_errors",
    "plot_learning_curve": "posenb.plots:plot_learning_curve",
    "plot_likelihood": "posenb.plots:plot_likelihood",
    "plot_paths": "posenb.plots:plot_paths",
    "plot_positions": "posenb.plots:plot_positions",
    "plot_steps": "posenb.plots:plot_steps",
    "plot_trajectories": "posenb.views:plot_trajectories",
    "quantise": "posenb.inference:quantise",
    "report": "posenb.reports:report",
    "sample_project": "posenb.demonstration:sample_project",
    "stop_training": "posenb.jobs:stop_training",
    "to_dlc": "posenb.project:to_dlc",
    "train": "posenb.training:train",
    "upload": "posenb.widgets:upload",
    "wait_for_training": "posenb.jobs:wait_for_training",
    "watch": "posenb.widgets:watch",
    "zoo": "posenb.zoo",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        # With its name and object, Python adds the likeliest name to the traceback.
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__]
        )
    module, _, attribute = _PUBLIC[name].partition(":")
    found = import_module(module)
    return getattr(found, attribute) if attribute else found


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
