"""Choosing the frames that are worth labelling, and writing them as images."""

from posenb.extraction.choosing import Thumbnails, choose_frames, find_motion
from posenb.extraction.config import ExtractConfig
from posenb.extraction.extract import extract_frames
from posenb.extraction.looking import look_at_video

__all__ = [
    "ExtractConfig",
    "Thumbnails",
    "choose_frames",
    "extract_frames",
    "find_motion",
    "look_at_video",
]
