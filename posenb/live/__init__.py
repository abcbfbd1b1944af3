"""Live analysis: poses of frames while they come, for experiments that act on them."""

from posenb.live.config import LiveConfig
from posenb.live.forecast import Forecaster
from posenb.live.lines import PoseLines
from posenb.live.loop import Processor, analyze_live
from posenb.live.predictor import LivePose, LivePredictor
from posenb.live.recording import LiveRecording
from posenb.live.sources import send_frame, socket_frames

__all__ = [
    "Forecaster",
    "LiveConfig",
    "LivePose",
    "LivePredictor",
    "LiveRecording",
    "PoseLines",
    "Processor",
    "analyze_live",
    "send_frame",
    "socket_frames",
]
