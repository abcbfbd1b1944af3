"""The app for people who do not program: from a video to poses in five steps."""

from posenb.app.forms import Forms
from posenb.app.serving import serve
from posenb.app.view import App, show

__all__ = ["App", "Forms", "serve", "show"]
