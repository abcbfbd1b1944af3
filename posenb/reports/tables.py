"""Tables and lists of a page, from plain values."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["data_url", "definitions", "flat", "number", "percent", "plural", "table"]


def number(value: float, digits: int = 1) -> str:
    """Return a number as text, a dash where there is none."""
    return f"{value:.{digits}f}" if np.isfinite(value) else "–"


def percent(share: float) -> str:
    """Return a share as text that says 0 and 100 % only of none and all."""
    if not np.isfinite(share):
        return "–"
    near = 0 < share < 0.005 or 0.995 < share < 1
    value = min(max(100 * share, 0.1), 99.9) if near else 100 * share
    return f"{value:.{1 if near else 0}f} %"


def plural(count: int, word: str) -> str:
    """Return "1 frame" or "2 frames"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, last: bool = False) -> str:
    """Return a table of HTML.

    Parameters
    ----------
    head : sequence of str
        Text.
    rows : iterable of sequence of str
        HTML; the first of each row is its name.
    last : bool, optional
        Whether the last row sums up the others.
    """
    top = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in head)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td>{cell}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    kind = ' class="summed"' if last else ""
    return f"<table{kind}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def definitions(pairs: Mapping[str, str]) -> str:
    """Return a list of names and what they stand for; both are text."""
    listing = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>"
        for name, value in pairs.items()
    )
    return f"<dl>{listing}</dl>"


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """Return nested settings as text, by names such as ``model.backbone``."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = _words(value)
    return found


def _words(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def data_url(kind: str, data: bytes) -> str:
    """Return content as a URL."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
