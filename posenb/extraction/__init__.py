"""Choosing the frames that are worth labelling, and writing them as images."""

from posenb.extraction.choosing import Thumbnails, choose_frames, find_motion
from posenb.extraction.config import ExtractConfig
from posenb.extraction.extract import extract_frames
from posenb.extraction.looking import find_candidates, look_at_video
from posenb.extraction.writing import find_crop, frame_numbers, write_frame

__all__ = [
    "ExtractConfig",
    "Thumbnails",
    "choose_frames",
    "extract_frames",
    "find_candidates",
    "find_crop",
    "find_motion",
    "frame_numbers",
    "look_at_video",
    "write_frame",
]
