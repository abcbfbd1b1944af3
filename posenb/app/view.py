"""The app as a widget: messages between the page and the desk, nothing more."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import anywidget
import traitlets

import posenb
from posenb import widgets
from posenb.app.desk import Desk
from posenb.widgets.environment import enable_widgets
from posenb.widgets.look import stylesheet

__all__ = ["App", "show"]

_EVERY = 0.2  # seconds between two pictures of a progress


def _read(file: str) -> str:
    return Path(__file__).with_name(file).read_text(encoding="utf-8")


def _read_shared(file: str) -> str:
    return (Path(widgets.__file__).parent / file).read_text(encoding="utf-8")


class App(anywidget.AnyWidget):
    """The app in a notebook or a page; made by `show`.

    Parameters
    ----------
    desk : Desk
    """

    _esm = _read_shared("upload_agent.js") + _read_shared("elements.js") + _read("page.js")
    _css = stylesheet() + _read("page.css")

    view = traitlets.Dict().tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    version = traitlets.Unicode(posenb.__version__).tag(sync=True)

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shown = 0.0
        super().__init__(view=desk.view(), pictures=desk.pictures)
        self.on_msg(self._hear)

    def close(self) -> None:
        """End the visit: what was uploaded and found is removed."""
        self._desk.close()
        super().close()

    def _hear(self, _: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        for answer, data in self._desk.handle(message, buffers):
            self.send(answer, [data] if data else None)
        # Each piece moves the bar a little; only so many of these steps can be seen.
        now = time.monotonic()
        if message.get("do") not in ("piece", "give") or now - self._shown > _EVERY:
            self._shown = now
            with self.hold_sync():  # so that no video is shown with another one's picture
                self.view, self.pictures = self._desk.view(), self._desk.pictures


def show() -> App:
    """Show the app: choose a video and a model, run, look, take home.

    Everything that a visitor brings and finds lies in a temporary folder, which is removed
    when the kernel ends.

    Returns
    -------
    App
        A widget; a cell shows it when it is its last line.

    Examples
    --------
    >>> posenb.app.show()  # doctest: +SKIP
    """
    enable_widgets()
    return App(Desk())
