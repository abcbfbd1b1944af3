"""The watcher: what is read of a training's files goes to the page, its buttons to the run."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import traitlets
from anywidget import AnyWidget
from ipywidgets import HTML, Button, HBox, Layout, VBox

from posenb import storage
from posenb.errors import PosenbError
from posenb.jobs import Observation, observe, resume, stop_training
from posenb.project import Run
from posenb.widgets.environment import enable_widgets
from posenb.widgets.label_panel import dress
from posenb.widgets.look import icon_button, style_tag
from posenb.widgets.watch_chart import CHART_CSS, charts
from posenb.widgets.watch_state import Shown, describe, text_of

__all__ = ["Watch", "watch"]

_LOCAL, _REMOTE = 2.0, 6.0  # seconds between two looks
_CSS = """
.pnb.pnb-watch { display: flex; flex-flow: column; gap: 10px; padding: 12px 14px;
  max-width: 960px; border: 1px solid var(--faint); border-radius: 8px; }
.pnb .pnb-head { display: flex; flex-flow: row wrap; gap: 8px 12px; align-items: center; }
.pnb .pnb-head > .pnb-says { flex: 1 1 320px; width: auto; min-width: 0; }
.pnb .pnb-head > .pnb-group { display: flex; flex-flow: row nowrap; gap: 6px; flex: 0 0 auto; }
.pnb .pnb-says p { margin: 0; line-height: 1.45; }
.pnb .pnb-says .pnb-run { color: var(--muted); font-size: 12px; overflow-wrap: anywhere; }
.pnb .pnb-state { font-weight: 600; font-size: 14px; margin-right: 10px; }
.pnb .pnb-state::before { content: ""; display: inline-block; width: 9px; height: 9px;
  border-radius: 50%; background: currentColor; margin-right: 8px; vertical-align: 1px; }
.pnb .pnb-state-starting, .pnb .pnb-state-training { color: var(--accent); }
.pnb .pnb-state-stopping, .pnb .pnb-state-stopped { color: var(--warn); }
.pnb .pnb-state-failed, .pnb .pnb-state-died { color: var(--bad); }
.pnb .pnb-state-finished { color: var(--good); }
.pnb .pnb-facts { font-variant-numeric: tabular-nums; }
.pnb .pnb-words p { margin: 0; }
.pnb .pnb-words .pnb-trouble { color: var(--bad); overflow-wrap: anywhere; }
.pnb .pnb-words pre { margin: 6px 0 0; padding: 8px 10px; max-height: 170px; overflow: auto;
  font-size: 12px; line-height: 1.4; white-space: pre-wrap;
  overflow-wrap: anywhere; word-break: normal;
  color: var(--ink); background: var(--raised); border-radius: var(--radius); }
.pnb .pnb-quiet { display: none; }
.pnb.pnb-silent .pnb-quiet { display: block; }
.pnb .pnb-quiet .widget-html-content { color: var(--warn); }
"""
_QUIET = (
    "The notebook's kernel is busy, or was restarted (then run this cell again). The training goes "
    "on without it."
)


class Pulse(AnyWidget):
    """A widget without size that asks for a look every few seconds; see ``watch_pulse.js``.

    Parameters
    ----------
    every : float
        Seconds between two looks.
    """

    _esm = Path(__file__).with_name("watch_pulse.js")

    every = traitlets.Float(_LOCAL).tag(sync=True)
    going = traitlets.Bool(True).tag(sync=True)
    answers = traitlets.Int(0).tag(sync=True)

    def __init__(self, every: float) -> None:
        super().__init__(every=every, layout=Layout(width="0", height="0", margin="0"))
        self.add_class("pnb-away")


class Watch:
    """A training as it goes; made by `watch`.

    Where there are no widgets its text tells the same: print it.

    Parameters
    ----------
    seen : Observation
        The first look.
    """

    def __init__(self, seen: Observation) -> None:
        self.seen = seen
        self._complaint = ""
        self._stop = icon_button(
            "stop", "Stop after the next validation, with a checkpoint", "Stop"
        )
        self._resume = icon_button(
            "play", "Go on from the last checkpoint, on this machine", "Resume"
        )
        self._again = icon_button("again", "Look again")
        dress(self._resume, "pnb-primary", on=True)
        self._says, self._bar, self._charts, self._words = HTML(), HTML(), HTML(), HTML()
        self._says.add_class("pnb-says")
        self._words.add_class("pnb-words")
        quiet = HTML(_QUIET)
        quiet.add_class("pnb-quiet")
        self._pulse = Pulse(_LOCAL if storage.is_local(seen.run.url) else _REMOTE)
        self.widget = self._arrange(quiet)
        self._listen()
        self._show()

    @property
    def run(self) -> Run:
        """The run that is watched."""
        return self.seen.run

    def look(self) -> Observation:
        """Look again and show what is new.

        Returns
        -------
        Observation

        Raises
        ------
        StorageError
            If the files of the run cannot be read.
        """
        self.seen = observe(self.run, self.seen)
        self._show()
        return self.seen

    def __repr__(self) -> str:
        """Tell how the training goes, as it was last seen."""
        return text_of(self.seen)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        enable_widgets()
        display(self.widget)  # type: ignore[no-untyped-call]

    def _arrange(self, quiet: HTML) -> VBox:
        buttons = HBox([self._stop, self._resume, self._again])
        buttons.add_class("pnb-group")
        head = HBox([self._says, buttons])
        head.add_class("pnb-head")
        sheet = style_tag(_CSS + CHART_CSS)
        parts = [sheet, self._pulse, head, self._bar, self._words, quiet, self._charts]
        widget = VBox(parts)
        for name in ("pnb", "pnb-watch"):
            widget.add_class(name)
        return widget

    def _listen(self) -> None:
        def look() -> None:
            """Only look."""

        for button, do in (
            (self._stop, lambda: stop_training(self.run)),
            (self._resume, lambda: resume(self.run)),
            (self._again, look),
        ):
            button.on_click(self._then_look(do))
        self._pulse.on_msg(self._then_look(look, keep=True))

    def _then_look(self, do: Callable[[], None], *, keep: bool = False) -> Callable[..., None]:
        """Return a callback that does something, shows what came of it and answers the page.

        What went wrong before stays to be read while the page merely looks again (`keep`).
        """

        def callback(*_: Any) -> None:
            complaint = self._complaint if keep else ""
            try:
                do()
                self.seen = observe(self.run, self.seen)
            except PosenbError as error:
                complaint = str(error)
            self._complaint = complaint
            self._show()
            self._pulse.answers += 1

        return callback

    def _show(self) -> None:
        """Show what was last seen; what is the same as before is not sent again."""
        shown = describe(self.seen)
        self._says.value = _says_html(shown, self.run)
        self._bar.value = f'<div class="pnb-bar"><i style="width:{shown.fraction:.1%}"></i></div>'
        self._charts.value = charts(self.seen.rows, self.seen.config.steps)
        self._words.value = _words_html(shown, self._complaint)
        self._charts.layout.display = "" if self.seen.rows else "none"
        self._words.layout.display = "" if self._words.value else "none"
        _reveal(self._stop, shown.can_stop)
        _reveal(self._resume, shown.can_resume)
        self._pulse.going = shown.phase != "finished"


def _says_html(shown: Shown, run: Run) -> str:
    facts = escape(" · ".join(shown.facts))
    return (
        f'<p><span class="pnb-state pnb-state-{shown.phase}">{escape(shown.title)}</span>'
        f'<span class="pnb-facts">{facts}</span></p>'
        f'<p class="pnb-run" title="{escape(run.url)}">{escape(run.name)}</p>'
    )


def _words_html(shown: Shown, complaint: str) -> str:
    lines = escape("\n".join(shown.log))
    parts = [
        f'<p class="pnb-trouble">{escape(text)}</p>' for text in (complaint, shown.trouble) if text
    ]
    if shown.note:
        parts.append(f'<p class="pnb-muted">{escape(shown.note)}</p>')
    if lines:
        parts.append(f"<pre>{lines}</pre>")
    return "".join(parts)


def _reveal(button: Button, there: bool) -> None:
    button.layout.display = "" if there else "none"


def watch(run: Run | storage.Url) -> Watch:
    """Watch a training: loss and validation error as they come, time left, stop and resume.

    It reads the files of the run every few seconds, so that it also shows what trains on
    another machine in a bucket that both reach. Closing it ends nothing.

    Parameters
    ----------
    run : Run, str or PathLike
        A run, as `train` returns it, or its URL.

    Returns
    -------
    Watch
        Shows itself in a notebook; elsewhere `print` it. Its `look` reads the files anew.

    Raises
    ------
    ProjectError
        If the folder holds no run.

    Examples
    --------
    >>> run = pn.train(project, background=True)  # doctest: +SKIP
    >>> pn.watch(run)  # doctest: +SKIP
    """
    return Watch(observe(run))
