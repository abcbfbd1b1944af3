"""A card as a page for people: the README.md in the folder of a model."""

from __future__ import annotations

from collections.abc import Sequence

from posenb.zoo.card import PREVIEW, Accuracy, Card, DataSource

__all__ = ["card_page"]

_CALL = """\
```python
import posenb as pn

poses = pn.zoo.analyze("clip.mp4", "{name}")
```"""


def card_page(card: Card) -> str:
    """Return a card as Markdown."""
    picture = f"![{card.title}: keypoints and skeleton]({PREVIEW})" if PREVIEW in card.files else ""
    length = "unknown" if card.body_length is None else f"about {card.body_length:.0f} pixels"
    blocks = [
        f"# {card.title}",
        card.summary or "",
        picture,
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
