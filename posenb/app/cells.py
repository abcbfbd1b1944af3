"""The steps as HTML for the cells of a notebook: what the page shows, where no page can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from posenb.app.state import QUALITIES
from posenb.widgets.look import stylesheet

__all__ = ["Shown", "clip_cell", "files_cell", "found_cell", "models_cell", "note", "options_cell"]

_MANY = 8  # keypoints from which on their number is told first
_MORE_STYLE = """
.pnb.pnb-app.pnb-app-cell { padding: 10px 12px 12px; margin: 0; display: flex;
  flex-direction: column; gap: 14px; max-width: 1000px; }
.pnb.pnb-app-cell code { font-size: 13px; overflow-wrap: anywhere; }
.pnb-app-cell .pnb-app-card > img { align-self: start; }
.pnb.pnb-app-cell .pnb-app-problem:not(:empty), .pnb.pnb-app-cell .pnb-app-note:not(:empty) {
  margin: 0; }
.pnb.pnb-app-cell table.pnb-app-table { border-collapse: collapse; width: auto; margin: 0;
  font-size: 14px; align-self: flex-start; color: var(--ink); background: none; }
.pnb.pnb-app-cell .pnb-app-table th, .pnb.pnb-app-cell .pnb-app-table td { padding: 4px 20px 4px 0;
  text-align: right; border: 0; border-bottom: 1px solid var(--faint); background: none;
  font-variant-numeric: tabular-nums; }
.pnb.pnb-app-cell .pnb-app-table tr { background: none; }
.pnb.pnb-app-cell .pnb-app-table th { color: var(--muted); font-weight: 400; }
.pnb.pnb-app-cell .pnb-app-table :is(td, th):is(:first-child, .pnb-app-where) { text-align: left; }
.pnb.pnb-app-cell .pnb-app-table tr.pnb-app-here td { font-weight: 600; }
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a cell shows.

    Parameters
    ----------
    html : str
    text : str
        The same where no HTML can be shown.
    """

    html: str
    text: str

    def __add__(self, other: Shown) -> Shown:
        """Show one below the other."""
        return Shown(self.html + other.html, "\n".join(filter(None, (self.text, other.text))))

    def __repr__(self) -> str:
        """Return the plain text."""
        return self.text

    def _repr_html_(self) -> str:
        page = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
        style = f"<style>{stylesheet()}{page}{_MORE_STYLE}</style>"
        return f'{style}<div class="pnb pnb-app pnb-app-cell">{self.html}</div>'


def note(text: str, *, problem: bool = True) -> Shown:
    """Return a line of words that catches the eye; nothing for an empty one."""
    if not text:
        return Shown("", "")
    kind, role = ("problem", "alert") if problem else ("note", "status")
    return Shown(f'<div class="pnb-app-{kind}" role="{role}">{escape(text)}</div>', text)


def clip_cell(view: Mapping[str, Any], picture: str) -> Shown:
    """Return the video that was chosen."""
    clip = view["clip"]
    notes = "".join(f'<p class="pnb-warn">{escape(each)}</p>' for each in clip["notes"])
    html = (
        f'<div class="pnb-app-clip"><img src="{picture}" alt="First frame">'
        f'<div><b class="pnb-app-name">{escape(clip["name"])}</b>'
        f'<p class="pnb-muted">{escape(clip["facts"])}</p>{notes}</div></div>'
    )
    return Shown(html, f"{clip['name']}: {clip['facts']}")


def models_cell(view: Mapping[str, Any], pictures: Mapping[str, str], chosen: str) -> Shown:
    """Return the models with their pictures, the chosen one marked."""
    cards = "".join(_card(card, pictures, chosen) for card in view["models"])
    text = "\n".join(
        f"{'*' if card['name'] == chosen else ' '} {card['name']}: {card['title']}"
        for card in view["models"]
    )
    return Shown(f'<div class="pnb-app-cards">{cards}</div>', text)


def _card(card: Mapping[str, Any], pictures: Mapping[str, str], chosen: str) -> str:
    keypoints = card["keypoints"]
    names = ", ".join(keypoints)
    many = len(keypoints) > _MANY
    facts = {
        "Name": card["name"],
        "Animal": card["species"],
        "Finds": f"{len(keypoints)} points of the body" if many else names,
        "Mean error": card["exact"],
    }
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card["limits"])
    finds = f'<p class="pnb-muted">It finds: {escape(names)}.</p>' if many else ""
    picture = pictures.get(card["name"])
    shown = (
        f'<img src="{picture}" alt="Body parts: {escape(names)}">'
        if picture
        else '<span class="pnb-app-blank"></span>'
    )
    return (
        f'<article class="pnb-app-card {"pnb-app-chosen" if card["name"] == chosen else ""}">'
        f'{shown}<div class="pnb-app-words"><h3>{escape(card["title"])}</h3>'
        f"<p>{escape(card['summary'] or card['view'])}</p>{_facts(facts)}"
        '<details class="pnb-app-limits"><summary>More, and limits</summary>'
        f"<p>Made for animals seen {escape(card['view'])}.</p><ul>{limits}</ul>{finds}</details>"
        "</div></article>"
    )


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value
    )
    return f'<dl class="pnb-app-facts">{rows}</dl>'


def options_cell(view: Mapping[str, Any], picture: str) -> Shown:
    """Return what the model saw in a few frames, and how long the whole will take."""
    trial, quality = view["trial"], view["options"]["quality"]
    rows = [
        (name, trial["needed"][name], "chosen" if name == quality else "") for name in QUALITIES
    ]
    facts = {
        "How sure": f"{trial['likelihood']} on average, in a few frames",
        "Animal": trial["size"],
        "Frames": ". ".join(filter(None, (f"{view['frames']:,}", trial["shorter"]))),
    }
    marked = [n for n, row in enumerate(rows) if row[2]]
    html = (
        f'<div class="pnb-app-both"><img class="pnb-app-trial" src="{picture}" alt="A frame with '
        f'what the model sees in it"><div class="pnb-app-side">'
        f'<p class="pnb-app-verdict pnb-app-{trial["verdict"]}">{escape(trial["says"])}</p>'
        f"<p>{escape(trial['advice'])}</p>{_facts(facts)}"
        f"{_table(('quality', 'it will take', ''), rows, marked)}</div></div>"
    )
    return Shown(html, f"{trial['says']} It will take {trial['needed'][quality]}.")


def found_cell(
    view: Mapping[str, Any], summary: Sequence[tuple[str, float, float]], name: str
) -> Shown:
    """Return the verdict and the summary table.

    Parameters
    ----------
    view : mapping
        What there is to show.
    summary : sequence of (str, float, float)
        For each keypoint its name, the share of the frames in which it was found, and the
        median of its likelihood.
    name : str
        Of the video.
    """
    found = view["found"]
    about = (
        f"Mean over body parts, in {found['frames']} frames of {name}; the animal is "
        f"{found['size']}."
    )
    rows = [(part, f"{100 * share:.0f} %", f"{likely:.2f}") for part, share, likely in summary]
    html = (
        f'<div class="pnb-app-found"><div class="pnb-app-share pnb-app-{found["verdict"]}">'
        f"<b>{escape(found['share'])}</b><span>found surely</span></div>"
        f'<div class="pnb-app-words"><p class="pnb-app-verdict">{escape(found["says"])}</p>'
        f'<p class="pnb-muted">{escape(about)}</p></div></div>'
        f"{_table(('body part', 'found surely', 'likelihood, median'), rows)}"
    )
    lines = [f"{part}: found in {share} of the frames" for part, share, _ in rows]
    return Shown(html, "\n".join([f"{found['share']} found surely. {found['says']}", *lines]))


def files_cell(view: Mapping[str, Any], files: Mapping[str, str], link: str) -> Shown:
    """Return what there is to take home, and where it lies.

    Parameters
    ----------
    view : mapping
        What there is to show.
    files : mapping of str to str
        Where each file lies, by what it is.
    link : str
        HTML that leads to the archive, where the notebook can do so.
    """
    rows = [(each["title"], each["size"], files[each["what"]]) for each in view["found"]["files"]]
    table = "".join(
        f"<tr><td>{escape(title)}</td><td>{escape(size)}</td>"
        f"<td class='pnb-app-where'><code>{escape(url)}</code></td></tr>"
        for title, size, url in rows
    )
    text = "\n".join(f"{title}: {url}" for title, _, url in rows)
    head = "<tr><th>file</th><th>size</th><th class='pnb-app-where'>where it lies</th></tr>"
    return Shown(f'{link}<table class="pnb-app-table">{head}{table}</table>', text)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[int] = ()) -> str:
    first = "".join(f"<th>{escape(each)}</th>" for each in head)
    lines = "".join(
        f"<tr class='{'pnb-app-here' if n in marked else ''}'>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for n, row in enumerate(rows)
    )
    return f'<table class="pnb-app-table"><tr>{first}</tr>{lines}</table>'
