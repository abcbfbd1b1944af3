"""Widgets: the notebook's hands."""

from posenb.widgets.label_view import LabelView, label
from posenb.widgets.pick_view import Picker, pick_frames
from posenb.widgets.upload_view import Uploader, upload
from posenb.widgets.watch_view import Watch, watch

__all__ = ["LabelView", "Picker", "Uploader", "Watch", "label", "pick_frames", "upload", "watch"]
