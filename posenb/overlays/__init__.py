"""Videos with what was found drawn over them."""

from posenb.overlays.config import LabelledVideoConfig
from posenb.overlays.making import labelled_video

__all__ = ["LabelledVideoConfig", "labelled_video"]
