"""The uploader as a widget: messages between the browser and the desk, nothing more."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from posenb.project import Project, open_project
from posenb.storage import Url
from posenb.widgets.environment import enable_widgets
from posenb.widgets.look import stylesheet
from posenb.widgets.upload_desk import Desk

__all__ = ["Uploader", "upload"]

_EVERY = 0.2  # seconds between two pictures of a progress


def _read(file: str) -> str:
    return Path(__file__).with_name(file).read_text(encoding="utf-8")


class Uploader(anywidget.AnyWidget):
    """Takes videos from the browser into a project; made by `upload`.

    Attributes
    ----------
    project : Project
        With the videos that were added so far.
    """

    _esm = _read("upload_agent.js") + _read("elements.js") + _read("upload_page.js")
    _css = stylesheet() + _read("upload.css")

    view = traitlets.Dict().tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)

    def __init__(self, project: Project) -> None:
        self._desk = Desk(project)
        self._shown = 0.0
        super().__init__(view=self._desk.view())
        self.on_msg(self._hear)

    @property
    def project(self) -> Project:
        """The project with the videos that were added so far."""
        return self._desk.project

    def _hear(self, _: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        for answer in self._desk.handle(message, buffers):
            self.send(answer)
        # Each piece moves the bar a little; only so many of these steps can be seen.
        now = time.monotonic()
        if message.get("do") not in ("piece", "put") or now - self._shown > _EVERY:
            self._shown = now
            self.view, self.pictures = self._desk.view(), self._desk.pictures


def upload(project: Project | Url) -> Uploader:
    """Bring videos into a project from the browser: drop or choose them, of any size.

    A file travels in pieces straight into the folder ``videos/`` of the project, on this
    machine's disk or in its bucket, and is never held in memory. Each piece is checked by
    its SHA-256. It can be paused, and goes on where it was after a lost connection, a
    restart of the kernel or a new day: choose the same file again. On gs:// the browser
    sends to the bucket by itself where it can. What is no readable video is refused; a
    video of the same name is never replaced. Files that lie on a drive, in a bucket or
    behind a URL already are added where they lie.

    While a cell runs, the kernel takes nothing: the upload waits, and says so.

    Parameters
    ----------
    project : Project, str or PathLike
        The project or its URL.

    Returns
    -------
    Uploader
        A widget; a cell shows it when it is its last line. Its `project` has the videos.

    Examples
    --------
    >>> pn.upload(project)  # doctest: +SKIP
    """
    enable_widgets()
    return Uploader(project if isinstance(project, Project) else open_project(project))
