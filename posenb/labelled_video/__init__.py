"""Videos with what was found drawn over them."""

from posenb.labelled_video.config import LabelledVideoConfig
from posenb.labelled_video.making import labelled_video

__all__ = ["LabelledVideoConfig", "labelled_video"]
