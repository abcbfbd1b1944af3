"""Showing a page in a browser, where one is at hand."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

from posenb import storage

__all__ = ["at_hand", "show_page"]


def show_page(url: str, wanted: bool | None) -> None:
    """Open a page in the browser of whoever sits at this terminal.

    Parameters
    ----------
    url : str
        Only local pages are opened.
    wanted : bool or None
        None leaves it to the surroundings: yes at a terminal with a screen, no in a
        script, in continuous integration and where stdout goes elsewhere.
    """
    if storage.is_local(url) and (at_hand() if wanted is None else wanted):
        webbrowser.open(Path(url).as_uri())


def at_hand() -> bool:
    """Tell whether somebody sits at this terminal, with a screen."""
    if os.environ.get("CI") or not sys.stdout.isatty():
        return False
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(screen) or sys.platform in ("darwin", "win32")
