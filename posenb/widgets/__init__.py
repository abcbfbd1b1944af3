"""Widgets: the notebook's hands."""

from posenb.widgets.label_view import LabelView, label
from posenb.widgets.upload_view import Uploader, upload

__all__ = ["LabelView", "Uploader", "label", "upload"]
