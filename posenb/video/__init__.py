"""Frame-exact reading and browser-ready writing of video: the one room that knows PyAV."""

from posenb.video.camera import Camera, open_camera
from posenb.video.info import VideoInfo
from posenb.video.opening import open_video, probe
from posenb.video.reader import FrameIndexError, VideoReader
from posenb.video.thumbnails import read_thumbnails
from posenb.video.writer import VideoWriter, write_video

__all__ = [
    "Camera",
    "FrameIndexError",
    "VideoInfo",
    "VideoReader",
    "VideoWriter",
    "open_camera",
    "open_video",
    "probe",
    "read_thumbnails",
    "write_video",
]
