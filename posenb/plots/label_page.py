"""A page to flip through pictures of labelled frames."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from posenb.plots.theme import DARK, FONT, LIGHT

__all__ = ["Tile", "label_page"]

_STYLE = f"""
:root {{ color-scheme: light dark; {LIGHT.css()} }}
@media (prefers-color-scheme: dark) {{ :root {{ {DARK.css()} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 {FONT}; }}
header {{ position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 8px 24px;
  align-items: center; padding: 12px 24px; background: var(--paper);
  border-bottom: 1px solid var(--faint); }}
h1 {{ margin: 0; font-size: 19px; }}
header p {{ margin: 0; color: var(--muted); flex: 1 1 24ch; }}
label {{ display: flex; gap: 8px; align-items: center; color: var(--muted); }}
select, button {{ font: inherit; color: inherit; }}
select, dialog nav button {{ padding: 4px 10px; color: var(--ink); background: var(--raised);
  border: 1px solid var(--faint); border-radius: 6px; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(264px, 1fr)); gap: 16px;
  padding: 20px 24px 48px; }}
.tile {{ display: flex; flex-direction: column; justify-content: flex-start; padding: 0;
  border: 1px solid var(--faint); border-radius: 8px; overflow: hidden;
  background: var(--raised); text-align: left; cursor: zoom-in; }}
.tile[hidden] {{ display: none; }}
.tile img {{ display: block; width: 100%; aspect-ratio: 6 / 5; object-fit: contain;
  background: #fff; }}
.tile span {{ display: block; padding: 6px 10px 8px; overflow-wrap: anywhere; line-height: 1.35; }}
.tile small {{ display: block; color: var(--muted); font-size: 13px; }}
:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 2px; }}
dialog {{ width: min(96vw, 1100px); max-width: none; max-height: 96vh; padding: 12px 16px 16px;
  border: 0; border-radius: 10px; background: var(--paper); color: var(--ink); }}
dialog::backdrop {{ background: #000A; }}
dialog nav {{ display: flex; gap: 8px; align-items: center; margin-bottom: 10px; }}
dialog nav output {{ flex: 1; color: var(--muted); font-variant-numeric: tabular-nums; }}
dialog img {{ display: block; width: 100%; max-height: calc(96vh - 84px); object-fit: contain;
  background: #fff; border-radius: 4px; }}
@media print {{ header {{ position: static; }} label {{ display: none; }}
  .tile {{ break-inside: avoid; }} }}
"""

_SCRIPT = """
const tiles = [...document.querySelectorAll('.tile')];
const dialog = document.querySelector('dialog');
const [large, where] = [dialog.querySelector('img'), dialog.querySelector('output')];
const [video, lacking] = [document.getElementById('video'), document.getElementById('lacking')];
let shown = tiles, at = 0;
function sift() {
  shown = tiles.filter(t => (!video || video.value === '*' || t.dataset.video === video.value)
    && (!lacking.checked || t.dataset.lacking));
  tiles.forEach(t => { t.hidden = !shown.includes(t); });
  document.getElementById('none').hidden = shown.length > 0;
}
function show(n) {
  at = (n + shown.length) % shown.length;
  large.src = shown[at].querySelector('img').src;
  large.alt = shown[at].querySelector('img').alt;
  where.textContent = `${at + 1} of ${shown.length}`;
  if (!dialog.open) dialog.showModal();
}
tiles.forEach(t => t.addEventListener('click', () => show(shown.indexOf(t))));
for (const [id, step] of [['before', -1], ['next', 1]])
  document.getElementById(id).addEventListener('click', () => show(at + step));
document.getElementById('close').addEventListener('click', () => dialog.close());
dialog.addEventListener('click', e => { if (e.target === dialog) dialog.close(); });
dialog.addEventListener('close', () => shown[at].focus());
dialog.addEventListener('keydown', e => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
  if (step) { e.preventDefault(); show(at + step); }
});
for (const control of [video, lacking]) if (control) control.addEventListener('change', sift);
sift();
"""


class Tile(NamedTuple):
    """A picture on the page.

    Parameters
    ----------
    path : str
        Of the picture, relative to the page.
    video, image : str
        The frame.
    note : str
        What is to say of its labels; empty if all is there.
    """

    path: str
    video: str
    image: str
    note: str


def label_page(title: str, summary: str, tiles: Sequence[Tile]) -> str:
    """Return a page that shows pictures in a grid, and one at large after a click.

    Arrow keys flip through; a choice of video and of the frames that have a remark
    narrows what is shown. It is light or dark as the browser is.

    Parameters
    ----------
    title, summary : str
        What the page is about.
    tiles : sequence of Tile
        At least one.

    Returns
    -------
    str
        HTML.
    """
    videos = sorted({tile.video for tile in tiles})
    options = "".join(f"<option>{html.escape(video)}</option>" for video in videos)
    chooser = (
        f'<label>Video <select id="video"><option value="*">all</option>{options}</select></label>'
        if len(videos) > 1
        else ""
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{html.escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>{html.escape(title)}</h1>
<p>{html.escape(summary)}</p>
{chooser}
<label><input type="checkbox" id="lacking"> only frames with a remark</label>
</header>
<main>
{"".join(map(_tile, tiles))}
<p id="none" hidden>No frame is like that.</p>
</main>
<dialog aria-label="Frame">
<nav><button id="before" aria-label="Frame before">←</button>
<button id="next" aria-label="Next frame">→</button><output></output>
<button id="close">Close</button></nav>
<img src="data:," alt="">
</dialog>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _tile(tile: Tile) -> str:
    name = html.escape(f"{tile.video}/{tile.image}".lstrip("/"))
    note = f"<small>{html.escape(tile.note)}</small>" if tile.note else ""
    lacking = ' data-lacking="1"' if tile.note else ""
    return (
        f'<button class="tile" data-video="{html.escape(tile.video)}"{lacking}>'
        f'<img loading="lazy" src="{html.escape(quote(tile.path))}" alt="Labels of {name}">'
        f"<span>{name}{note}</span></button>\n"
    )
