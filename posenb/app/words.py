"""What went wrong, in plain words, with the next step."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from pathlib import Path

from posenb.errors import PosenbError, VideoError

__all__ = ["explain", "explain_refusal", "say_length", "what_it_is"]

_KINDS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x89HDF", "an HDF5 table"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"{\\rtf", "a text document"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"ID3", "a sound recording"),
    (b"fLaC", "a sound recording"),
)
_HEAD = 4096
_NUMBERED = re.compile(r" \(\[Errno -?\d+\] [^)]*\)")  # what FFmpeg says, for programmers


def what_it_is(head: bytes) -> str | None:
    """Say what a file is that is no video, by its first bytes; None if they do not tell."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, kind in _KINDS:
        if start.startswith(magic):
            return kind
    if head and not any(byte < 9 for byte in head):
        return "a text file"
    return None


def explain_refusal(error: VideoError, path: Path, name: str) -> str:
    """Say why a file is not taken for a video.

    Parameters
    ----------
    error : VideoError
        What reading it said.
    path : Path
        Where it lies.
    name : str
        As its owner calls it.
    """
    with path.open("rb") as file:
        kind = what_it_is(file.read(_HEAD))
    if kind is not None:
        return (
            f"“{name}” is {kind}, whatever its name ends in. Choose the video itself, such as an "
            ".mp4, .avi or .mov."
        )
    reason = _NUMBERED.sub("", explain(error, {str(path): name}))
    return (
        f"“{name}” cannot be read as a video. {reason} If it plays on your computer, save it there "
        "as .mp4 (H.264) and choose that."
    )


def explain(error: BaseException, shown: Mapping[str, str]) -> str:
    """Say what went wrong.

    Parameters
    ----------
    error : BaseException
    shown : mapping of str to str
        What stands for paths of this machine, which mean nothing to a visitor; longer paths
        first.
    """
    if _is_full(error):
        text = (
            "The disk of the computer that runs this app is full. Take a shorter part of the "
            "video, or ask whoever runs the app to free some space; then start again."
        )
    elif isinstance(error, PosenbError):
        text = str(error)
    elif isinstance(error, MemoryError):
        text = (
            "This machine has not enough memory for that. Take a shorter part, or a video of "
            "fewer pixels."
        )
    elif isinstance(error, OSError):
        text = (
            f"A file could not be written or read ({error.strerror or error}). Try again; if it "
            "stays so, tell whoever runs the app."
        )
    else:
        text = (
            f"Something went wrong that nobody had foreseen ({type(error).__name__}: {error}). "
            "Try again; if it stays so, tell whoever runs the app."
        )
    for path, name in shown.items():
        text = text.replace(path, name)
    return text


def _is_full(error: BaseException | None) -> bool:
    """Tell whether a full disk is what an error comes from."""
    if error is None:
        return False
    return getattr(error, "errno", None) == errno.ENOSPC or _is_full(error.__cause__)


def say_length(seconds: float) -> str:
    """Return about how long something takes: "about 10 s", "about 3 min", "about 2.1 h"."""
    if seconds < 8:
        return "a few seconds"
    if seconds < 55:
        return f"about {max(10, 5 * round(seconds / 5))} s"
    if seconds < 90 * 60:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:.1f} h"
