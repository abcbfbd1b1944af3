"""Widgets: the notebook's hands."""

from posenb.widgets.browse_view import Browser, browse
from posenb.widgets.gallery_view import LabelCheck, check_labels
from posenb.widgets.label_view import LabelView, label
from posenb.widgets.pick_view import Picker, pick_frames
from posenb.widgets.upload_view import Uploader, upload
from posenb.widgets.watch_view import Watch, watch

__all__ = [
    "Browser",
    "LabelCheck",
    "LabelView",
    "Picker",
    "Uploader",
    "Watch",
    "browse",
    "check_labels",
    "label",
    "pick_frames",
    "upload",
    "watch",
]
