"""The widgets' one look: colours, letters, spacing and icons, in light and dark notebooks.

Everything inside an element of the class ``pnb`` is dressed by `stylesheet`. Colours and
fonts are those of the figures (`posenb.plots.theme`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from posenb._names import unknown_name
from posenb.plots.theme import DARK, FONT, LIGHT, MONOSPACE

if TYPE_CHECKING:
    import ipywidgets

__all__ = ["ICONS", "icon_button", "style_tag", "stylesheet"]

# Lines on a grid of 24 x 24, drawn for posenb.
ICONS = {
    "previous": '<path d="M15 5l-7 7 7 7"/>',
    "next": '<path d="M9 5l7 7-7 7"/>',
    "next-empty": '<path d="M5 6l6 6-6 6"/><circle cx="17" cy="12" r="3.5"/>',
    "undo": '<path d="M8 5L4 9l4 4"/><path d="M4 9h10a6 6 0 0 1 0 12h-4"/>',
    "redo": '<path d="M16 5l4 4-4 4"/><path d="M20 9H10a6 6 0 0 0 0 12h4"/>',
    "zoom-in": '<circle cx="10" cy="10" r="6"/><path d="M20 20l-5-5M7 10h6M10 7v6"/>',
    "zoom-out": '<circle cx="10" cy="10" r="6"/><path d="M20 20l-5-5M7 10h6"/>',
    "fit": '<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>',
    "copy": '<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M15 5H6a2 2 0 0 0-2 2v9"/>',
    "accept": '<path d="M4 13l5 5L20 6"/>',
    "accept-all": '<path d="M2 13l5 5L16 7"/><path d="M12 17l1 1L22 7"/>',
    "delete": '<path d="M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5"/>',
    "hidden": (
        '<path d="M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6z"/>'
        '<circle cx="12" cy="12" r="2.5"/><path d="M4 20L20 4"/>'
    ),
    "absent": '<circle cx="12" cy="12" r="8"/><path d="M6.5 17.5l11-11"/>',
    "swap": '<path d="M4 8h15M15 4l4 4-4 4M20 16H5M9 12l-4 4 4 4"/>',
    "add": '<path d="M12 5v14M5 12h14"/>',
    "through": (
        '<rect x="3" y="6" width="7" height="12" rx="1"/>'
        '<path d="M13 12h8M17.5 8.5L21 12l-3.5 3.5"/>'
    ),
    "names": '<path d="M4 12l8-8h8v8l-8 8z"/><circle cx="16" cy="8" r="1"/>',
    "skeleton": (
        '<circle cx="5" cy="18" r="2"/><circle cx="12" cy="8" r="2"/>'
        '<circle cx="19" cy="15" r="2"/><path d="M6.2 16.4l4.6-6.7M13.6 9.3l3.8 4.2"/>'
    ),
    "colours": '<circle cx="9" cy="9" r="5"/><circle cx="15" cy="15" r="5"/>',
    "display": '<circle cx="12" cy="12" r="8"/><path d="M12 4v16M12 8h4.5M12 12h6.5M12 16h4.5"/>',
    "help": (
        '<circle cx="12" cy="12" r="9"/>'
        '<path d="M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .9-1 1.7M12 16.6v.2"/>'
    ),
    "up": '<path d="M12 20V4M6 10l6-6 6 6"/>',
    "down": '<path d="M12 4v16M6 14l6 6 6-6"/>',
    "left": '<path d="M20 12H4M10 6l-6 6 6 6"/>',
    "right": '<path d="M4 12h16M14 6l6 6-6 6"/>',
    "upload": '<path d="M12 15V4M7 8.5l5-5 5 5M5 20h14"/>',
    "pause": '<path d="M9 5v14M15 5v14"/>',
    "stop": '<rect x="6" y="6" width="12" height="12" rx="1.5"/>',
    "play": '<path d="M7 5l11 7-11 7z"/>',
    "close": '<path d="M6 6l12 12M18 6L6 18"/>',
    "again": '<path d="M20 11a8 8 0 1 0-2.3 6.2"/><path d="M20 4v7h-7"/>',
    "video": '<rect x="3" y="6" width="12" height="12" rx="2"/><path d="M15 11l6-3v8l-6-3"/>',
    "find": '<circle cx="10" cy="10" r="6"/><path d="M20 20l-5-5"/>',
    "save": '<path d="M12 4v11M7 10.5l5 5 5-5M5 20h14"/>',
}

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="black" '
    'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{}</svg>'
)

_COLOURS = """
.pnb {{ {light} --good: #00785A; --bad: #B3261E; --warn: #8A5A00; --halo: transparent; }}
body[data-jp-theme-light="false"] .pnb, html[theme="dark"] .pnb, body.theme-dark .pnb {{
  {dark} --good: #3CC79A; --bad: #FF8A80; --warn: #F0C36A; --halo: #9AA6B2; }}
"""

_BASE = """
.pnb { --gap: 8px; --radius: 6px; font-family: %(font)s; font-size: 13px; line-height: 1.4;
  color: var(--ink); background: var(--paper); box-sizing: border-box; overflow: visible; }
.pnb *, .pnb *::before { box-sizing: border-box; }
.pnb .widget-html-content, .pnb .widget-label, .pnb .jupyter-widgets { color: var(--ink);
  font-family: inherit; font-size: 13px; line-height: 1.4; }
.pnb .widget-html-content { padding: 0; }
.pnb .widget-box, .pnb .jupyter-widgets.widget-html { overflow: visible; margin: 0; }
.pnb code, .pnb kbd { font-family: %(mono)s; font-size: 12px; color: var(--ink);
  background: var(--raised); border: 1px solid var(--faint); border-radius: 4px;
  padding: 0 5px; box-shadow: none; }
.pnb .jupyter-button { height: 30px; min-width: 30px; width: auto; margin: 0; padding: 0 10px;
  display: inline-flex; align-items: center; justify-content: center; gap: 6px; flex: 0 0 auto;
  color: var(--ink); background: var(--raised); border: 1px solid var(--faint);
  border-radius: var(--radius); font-size: 13px; line-height: 1; box-shadow: none;
  transition: none; }
.pnb .jupyter-button:hover:enabled { border-color: var(--accent); box-shadow: none; }
.pnb .jupyter-button:focus-visible, .pnb input:focus-visible, .pnb select:focus-visible,
.pnb canvas:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.pnb .jupyter-button:disabled { opacity: 0.4; }
.pnb .jupyter-button.pnb-on { border-color: var(--accent); color: var(--accent);
  background: var(--paper); }
.pnb .jupyter-button.pnb-primary { background: var(--accent); border-color: var(--accent);
  color: var(--paper); }
.pnb .pnb-icon::before { content: ""; width: 16px; height: 16px; flex: 0 0 16px;
  background: currentColor; -webkit-mask: var(--icon) center / contain no-repeat;
  mask: var(--icon) center / contain no-repeat; }
.pnb .jupyter-button.pnb-bare { width: 32px; padding: 0; }
.pnb select, .pnb input[type="text"], .pnb input[type="number"] { height: 30px;
  color: var(--ink); background-color: var(--paper); border: 1px solid var(--faint);
  border-radius: var(--radius); font-size: 13px; font-family: inherit; margin: 0; }
.pnb .pnb-away { position: absolute; }
.pnb .pnb-muted { color: var(--muted); }
.pnb .pnb-bar { height: 5px; border-radius: 3px; background: var(--faint); overflow: hidden; }
.pnb .pnb-bar > i { display: block; height: 100%%; background: var(--accent);
  border-radius: 3px; }
.pnb .pnb-good { color: var(--good); }
.pnb .pnb-bad { color: var(--bad); font-weight: 600; }
.pnb .pnb-warn { color: var(--warn); }
"""


def stylesheet() -> str:
    """Return the style sheet of everything inside an element of the class ``pnb``."""
    icons = "".join(
        f'.pnb .pnb-icon-{name} {{ --icon: url("{_data_url(_SVG.format(lines))}"); }}\n'
        for name, lines in ICONS.items()
    )
    colours = _COLOURS.format(light=LIGHT.css(), dark=DARK.css())
    return colours + _BASE % {"font": FONT, "mono": MONOSPACE} + icons


def style_tag(extra: str = "") -> ipywidgets.HTML:
    """Return a widget without size that brings the style sheet, and `extra` after it."""
    from ipywidgets import HTML, Layout

    sheet = f"<style>{stylesheet()}{extra}</style>"
    tag = HTML(sheet, layout=Layout(width="0", height="0", margin="0"))
    tag.add_class("pnb-away")
    return tag


def icon_button(icon: str, tooltip: str, text: str = "") -> ipywidgets.Button:
    """Return a button with an icon, and text beside it where there is any.

    Parameters
    ----------
    icon : str
        One of `ICONS`.
    tooltip : str
        What it does; also what is read aloud where there is no text.
    text : str, optional

    Raises
    ------
    UnknownNameError
        If there is no such icon.
    """
    from ipywidgets import Button

    if icon not in ICONS:
        raise unknown_name("icon", icon, tuple(ICONS))
    button = Button(description=text, tooltip=tooltip)
    for name in ("pnb-icon", f"pnb-icon-{icon}", *(() if text else ("pnb-bare",))):
        button.add_class(name)
    return button


def _data_url(svg: str) -> str:
    return f"data:image/svg+xml,{quote(svg)}"
