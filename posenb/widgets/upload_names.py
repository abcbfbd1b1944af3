"""File names that come from a browser, made into names of files here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from pathlib import PurePosixPath

__all__ = ["offer_name", "safe_name"]

_STEM_BYTES, _SUFFIX_BYTES = 120, 12  # file systems take 255 in all, with what others append
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe_name(name: str) -> str:
    """Return a name that is one file right in its folder, on every system.

    Folders before the name go; so do characters and names that some system refuses,
    directions of writing, and dots that would hide the file. Letters of all languages stay.

    Returns
    -------
    str
        Never empty; the same for a name that is safe already.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(sign for sign in last if unicodedata.category(sign) != "Cf")
    plain = _FORBIDDEN.sub("_", shown).strip(". ")
    path = PurePosixPath(plain or "video")
    stem, suffix = path.stem, path.suffix
    if len(suffix.encode()) > _SUFFIX_BYTES:
        stem, suffix = path.name, ""
    if _DEVICES.match(stem):
        stem = f"_{stem}"
    return _cut(stem, _STEM_BYTES) + suffix


def offer_name(name: str, taken: Collection[str]) -> str:
    """Return the first of name-2, name-3 ... whose stem is not `taken` in any case."""
    path = PurePosixPath(name)
    used = {stem.casefold() for stem in taken}
    number = 2
    while f"{path.stem}-{number}".casefold() in used:
        number += 1
    return f"{path.stem}-{number}{path.suffix}"


def _cut(text: str, size: int) -> str:
    """Return `text` up to `size` bytes of UTF-8, without half a letter at the end."""
    return text.encode()[:size].decode(errors="ignore").rstrip(". ") or "video"
