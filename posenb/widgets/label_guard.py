"""What a page tells that ipycanvas does not: how much room there is, and when all is quiet."""

from __future__ import annotations

from pathlib import Path

from anywidget import AnyWidget
from ipywidgets import Layout
from traitlets import Int

__all__ = ["Guard"]

_PAUSE = 20_000  # milliseconds


class Guard(AnyWidget):
    """A widget without size beside the canvas; see ``label_guard.js``.

    It sends ``{"kind": "room", "width", "height", "ratio"}`` (width of the canvas's box
    and height of the window in CSS pixels, device pixels per CSS pixel) whenever these
    change, and ``{"kind": "idle"}`` once after the last click or key, and once after it
    receives ``{"kind": "wake"}``. While the page is seen and worked with it sends
    ``{"kind": "look"}`` every `pause` milliseconds, and when it comes to be seen again.
    """

    _esm = Path(__file__).with_name("label_guard.js")
    pause = Int(_PAUSE).tag(sync=True)

    def __init__(self) -> None:
        super().__init__(layout=Layout(width="0", height="0", margin="0"))
