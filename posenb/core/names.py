"""Names that files, tables and screens can hold."""

from __future__ import annotations

import re

from posenb.errors import InvalidInputError

__all__ = ["check_name"]

_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def check_name(kind: str, name: object) -> None:
    """Check a name.

    Parameters
    ----------
    kind : str
        What it names, as the start of a sentence ("Keypoint").
    name : object

    Raises
    ------
    InvalidInputError
        If it is no text, blank, or holds characters that no file can hold.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidInputError(f"{kind} names are non-empty text; got {name!r}.")
    if _UNWRITABLE.search(name):
        raise InvalidInputError(
            f"{kind} names are text without control characters; got {name!r}. Rename it."
        )
