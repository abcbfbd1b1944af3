"""A card as a page for people: the README.md in the folder of a model."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence

from posenb import storage
from posenb.errors import PosenbError
from posenb.zoo.card import PREVIEW, Accuracy, Card, DataSource
from posenb.zoo.index import find_member

__all__ = ["card_in_notebook", "card_page", "read_preview"]

_CALL = """\
```python
import posenb as pn

poses = pn.zoo.analyze("clip.mp4", "{name}")
```"""


def card_in_notebook(card: Card) -> str:
    """Return a card as Markdown that holds its picture, if the model is still where it was."""
    picture = read_preview(card)
    if picture is None:
        return card_page(card, picture=None)
    return card_page(card, picture=f"data:image/png;base64,{b64encode(picture).decode()}")


def read_preview(card: Card, model: storage.Url | None = None) -> bytes | None:
    """Return the picture of a model as a PNG; None where it has none, or another one by now.

    Parameters
    ----------
    card : Card
    model : str or PathLike, optional
        The model; by default the known one of the card's name.
    """
    if PREVIEW not in card.files:
        return None
    try:
        member = find_member(card.name if model is None else model)
        picture = storage.read_bytes(storage.join(member.url, PREVIEW))
    except PosenbError:  # a card is worth showing without a picture
        return None
    fits = hashlib.sha256(picture).hexdigest() == card.files[PREVIEW].sha256
    return picture if fits else None


def card_page(card: Card, *, picture: str | None = PREVIEW) -> str:
    """Return a card as Markdown, with the address of its picture in it."""
    shown = picture is not None and PREVIEW in card.files
    length = "unknown" if card.body_length is None else f"about {card.body_length:.0f} pixels"
    blocks = [
        f"# {card.title}",
        card.summary or "",
        f"![{card.title}: keypoints and skeleton]({picture})" if shown else "",
        _CALL.format(name=card.name),
        _table(
            ("", ""),
            [
                ("animal", card.species),
                ("view", card.view),
                ("keypoints", ", ".join(card.keypoints)),
                ("length of the animals it learned from", length),
                ("licence of the weights", card.licence),
                ("size", f"{card.size / 1e6:.1f} MB"),
                ("made", f"{card.made}, {_versions(card)}"),
            ],
        ),
        "## How exact it is",
        card.held_out or "No frame was held out, so it is not known.",
        _accuracy(card.accuracy),
        "## Limits",
        "\n".join(f"- {limit}" for limit in card.limits),
        "## What it learned from",
        "\n".join(_source(source) for source in card.data),
        "" if card.recipe is None else f"Made by `{card.recipe}`.",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _versions(card: Card) -> str:
    return ", ".join(f"{package} {version}" for package, version in card.software.items())


def _accuracy(rows: tuple[Accuracy, ...]) -> str:
    if not rows:
        return ""
    head = ("size of the frames", "size found", "frames", "mean, px", "median, px", "of the body")
    cells = [
        (
            f"{row.size:g} ×",
            "given" if row.found is None else f"{row.found:.2g} ×",
            str(row.frames),
            f"{row.mean:.2f}",
            f"{row.median:.2f}",
            "" if row.of_body is None else f"{row.of_body:.1%}",
        )
        for row in rows
    ]
    return _table(head, cells)


def _source(source: DataSource) -> str:
    used = f" ({source.used})" if source.used else ""
    where = f" <{source.url}>" if source.url else ""
    return f"- **{source.name}**{used}. {source.citation}{where} Licence: {source.licence}."


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(each.replace("|", "\\|") for each in row) + " |" for row in lines
    )
