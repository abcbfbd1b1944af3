"""The picker as a widget: messages between the browser and the desk, nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from posenb._names import unknown_name
from posenb.errors import ProjectError
from posenb.project import Project, open_project
from posenb.storage import Url
from posenb.widgets.environment import enable_widgets
from posenb.widgets.look import stylesheet
from posenb.widgets.pick_desk import Desk

__all__ = ["Picker", "pick_frames"]


def _read(file: str) -> str:
    return Path(__file__).with_name(file).read_text(encoding="utf-8")


class Picker(anywidget.AnyWidget):
    """Chooses frames by eye; made by `pick_frames`.

    Parameters
    ----------
    project : Project
    videos : tuple of str
        Names of its videos.
    """

    _esm = "".join(map(_read, ("elements.js", "pick_strip.js", "pick_shelves.js", "pick.js")))
    _css = stylesheet() + _read("pick.css")

    view = traitlets.Dict().tag(sync=True)

    def __init__(self, project: Project, videos: tuple[str, ...]) -> None:
        self.desk = Desk(project, videos, self._refresh)
        super().__init__(view=self.desk.view())
        self.on_msg(self._hear)

    def close(self) -> None:
        """End the widget and release the videos."""
        self.desk.close()
        super().close()

    def _refresh(self) -> None:
        self.view = self.desk.view()

    def _hear(self, _: Any, message: dict[str, Any], _buffers: list[Any]) -> None:
        for answer, picture in self.desk.handle(message):
            self.send(answer, [picture] if picture else None)
        self._refresh()


def pick_frames(project: Project | Url, *, videos: str | Sequence[str] | None = None) -> Picker:
    """Pick the frames to label by eye.

    Scrub or play a video and take the frames that matter, or let k-means or chance suggest
    some, as `extract_frames` chooses them, and keep those that convince. The curve below
    the picture tells where much moves. What is taken is written into
    ``labeled-data/<video>/`` when you say so; what lies there already is shown and stays.
    Marks that are not written yet are kept in ``notes/picked.json`` of the project, so that
    one goes on where a kernel was lost.

    Parameters
    ----------
    project : Project, str or PathLike
        The project or its URL.
    videos : str or sequence of str, optional
        Names of videos of the project; all by default.

    Returns
    -------
    Picker
        A widget; a cell shows it when it is its last line.

    Raises
    ------
    ProjectError
        If the project has no videos.
    UnknownNameError
        If it has none of that name.

    Examples
    --------
    >>> pn.pick_frames(project)  # doctest: +SKIP
    """
    home = project.reload() if isinstance(project, Project) else open_project(project)
    names = (videos,) if isinstance(videos, str) else tuple(videos or home.videos)
    for name in names:
        if name not in home.videos:
            raise unknown_name("video", name, tuple(home.videos))
    if not names:
        raise ProjectError(
            f"Frames are picked from the videos of a project; {home.url} has none. Add some with "
            "pn.upload(project) or pn.add_videos."
        )
    enable_widgets()
    return Picker(home, tuple(dict.fromkeys(names)))
