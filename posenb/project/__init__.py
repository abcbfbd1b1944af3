"""Projects: folders behind URLs."""

from posenb.project.adding import add_videos
from posenb.project.export import to_dlc
from posenb.project.images import frames_by_video, list_frames, read_image
from posenb.project.manifest import Manifest, Video
from posenb.project.opening import create_project, open_project
from posenb.project.runs import Run, list_runs, open_run
from posenb.project.value import Project

__all__ = [
    "Manifest",
    "Project",
    "Run",
    "Video",
    "add_videos",
    "create_project",
    "frames_by_video",
    "list_frames",
    "list_runs",
    "open_project",
    "open_run",
    "read_image",
    "to_dlc",
]
