"""Where a file lies: local paths and URLs under one set of rules, without any I/O."""

from __future__ import annotations

import os
import re
from pathlib import PureWindowsPath
from urllib.parse import unquote, urlsplit

from posenb.errors import InvalidInputError

__all__ = [
    "OWN_PREFIX",
    "Url",
    "is_local",
    "is_own",
    "is_root",
    "join",
    "name",
    "parent",
    "relative",
    "resolve",
    "scheme",
]

Url = str | os.PathLike[str]

OWN_PREFIX = ".posenb-"
"""Start of the names of storage's own files (staging, locks, copy records): never listed."""

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]+)://")
_WEB = ("http", "https")  # whose paths and queries belong to their servers
_ALIASES = {"gcs": "gs", "s3a": "s3"}


def resolve(url: Url) -> str:
    """Return the one normal form of a path or URL.

    Local paths (also ``~`` and ``file://``) become absolute paths of this machine;
    symbolic links stay as they are. In URLs the scheme is lower-cased, ``gcs``
    becomes ``gs`` and empty or ``.`` parts vanish. There is never a slash at the end.

    Raises
    ------
    InvalidInputError
        If the URL is empty, holds a null character, has a ``..`` part after its
        scheme or names no bucket.
    """
    text = os.fspath(url)
    if not text or "\0" in text:
        raise InvalidInputError(
            f"A path or URL must be a text without null characters, and not empty; got {text!r}."
        )
    match = _SCHEME.match(text)
    if match is None:
        return os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 (keep ".." lexical)
    protocol = match[1].lower()
    if protocol in ("file", "local"):
        return _local_of(text)
    protocol = _ALIASES.get(protocol, protocol)
    if protocol in _WEB:
        return f"{protocol}://{text[match.end() :]}"
    parts = [part for part in text[match.end() :].split("/") if part not in ("", ".")]
    if ".." in parts:
        raise InvalidInputError(
            f"A URL may not climb with '..'; got {text!r}. Write the folder it means in full."
        )
    if not parts and protocol != "memory":
        raise InvalidInputError(
            f"A URL must name a bucket or host after {protocol}://; got {text!r}. "
            f"Write for example {protocol}://bucket/folder."
        )
    return f"{protocol}://{'/'.join(parts)}"


def _local_of(text: str) -> str:
    pieces = urlsplit(text)
    if pieces.netloc not in ("", "localhost"):
        raise InvalidInputError(
            f"A file:// URL must name a path of this machine, as in file:///home/me/clip.mp4; "
            f"got {text!r}. Add a third slash or write the path alone."
        )
    path = unquote(text.partition("://")[2].removeprefix("localhost"))
    if re.match(r"^/[A-Za-z]:[\\/]", path):
        path = path[1:]
    if not path:
        raise InvalidInputError(f"A file:// URL must name a path; got {text!r}.")
    return os.path.abspath(path)  # noqa: PTH100 (keep ".." lexical)


def scheme(url: Url) -> str:
    """Return the scheme of a URL, or an empty text for a local path."""
    match = _SCHEME.match(resolve(url))
    return match[1] if match else ""


def is_local(url: Url) -> bool:
    """Tell whether `url` lies on a file system of this machine."""
    return scheme(url) == ""


def is_own(file_name: str) -> bool:
    """Tell whether a file or folder of this name is storage's own and never listed."""
    return file_name.startswith(OWN_PREFIX)


def is_root(url: Url) -> bool:
    """Tell whether nothing lies above `url`: a bucket, a drive, the root folder."""
    return name(url) == "" or parent(url) == resolve(url)


def join(url: Url, *parts: str) -> str:
    """Return the URL of `parts` below `url`.

    Parts may hold slashes; empty and ``.`` parts change nothing.

    Raises
    ------
    InvalidInputError
        If a part is absolute, a URL, or climbs with ``..``: what is read from a
        manifest or a table can never lead outside its folder.
    """
    base = resolve(url)
    below = [piece for part in parts for piece in _pieces(part)]
    if not below:
        return base
    if _SCHEME.match(base):
        return base + "/" * (not base.endswith("/")) + "/".join(below)
    return os.path.join(base, *below)  # noqa: PTH118 (one rule for paths and URLs)


def _pieces(part: str) -> list[str]:
    pieces = [piece for piece in re.split(_SEPARATORS, part) if piece not in ("", ".")]
    windows = PureWindowsPath(part) if os.name == "nt" else None
    absolute = part.startswith("/") or bool(windows and windows.anchor)
    if absolute or _SCHEME.match(part) or ".." in pieces or "\0" in part:
        raise InvalidInputError(
            "A part of a path must lie below its folder: not absolute, no URL and without '..'; "
            f"got {part!r}. Give the path relative to the folder."
        )
    return pieces


_SEPARATORS = r"[\\/]" if os.name == "nt" else "/"


def parent(url: Url) -> str:
    """Return the folder that holds `url`; a root (a bucket, ``/``) is its own parent."""
    whole = resolve(url)
    match = _SCHEME.match(whole)
    if match is None:
        return os.path.dirname(whole)  # noqa: PTH120 (one rule for paths and URLs)
    head, slash, _ = whole[match.end() :].rpartition("/")
    if slash:
        return whole[: match.end()] + head
    return "memory://" if match[1] == "memory" else whole


def name(url: Url) -> str:
    """Return the last part of `url`; empty for a bucket or the root folder."""
    whole = resolve(url)
    match = _SCHEME.match(whole)
    if match is not None and match[1] in _WEB:
        whole = re.split(r"[?#]", whole)[0].rstrip("/")
    if match is None:
        return os.path.basename(whole)  # noqa: PTH119 (one rule for paths and URLs)
    _, slash, last = whole[match.end() :].rpartition("/")
    return last if slash or match[1] == "memory" else ""


def relative(url: Url, base: Url) -> str | None:
    """Return the path of `url` below `base`, with forward slashes.

    Returns
    -------
    str or None
        Empty if both are the same, None if `url` does not lie below `base`.
    """
    inner, outer = _parts(url), _parts(base)
    if [os.path.normcase(part) for part in inner[: len(outer)]] != [
        os.path.normcase(part) for part in outer
    ]:
        return None
    return "/".join(inner[len(outer) :])


def _parts(url: Url) -> list[str]:
    whole = resolve(url)
    match = _SCHEME.match(whole)
    if match is None:
        return [part for part in re.split(_SEPARATORS, whole) if part]
    return [match[0], *filter(None, whole[match.end() :].split("/"))]
