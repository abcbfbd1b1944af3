"""Widgets: the notebook's hands."""

from posenb.widgets.browse_view import Browser, browse
from posenb.widgets.label_view import LabelView, label
from posenb.widgets.pick_view import Picker, pick_frames
from posenb.widgets.upload_view import Uploader, upload
from posenb.widgets.watch_view import Watch, watch

__all__ = [
    "Browser",
    "LabelView",
    "Picker",
    "Uploader",
    "Watch",
    "browse",
    "label",
    "pick_frames",
    "upload",
    "watch",
]
