"""Widgets: the notebook's hands."""

from posenb.widgets.upload_view import Uploader, upload

__all__ = ["Uploader", "upload"]
