"""Widgets: the notebook's hands."""

from posenb.widgets.label_view import LabelView, label
from posenb.widgets.upload_view import Uploader, upload
from posenb.widgets.watch_view import Watch, watch

__all__ = ["LabelView", "Uploader", "Watch", "label", "upload", "watch"]
