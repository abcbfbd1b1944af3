"""The lines below the canvas: whether all is saved, what happened last, who disagrees."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from html import escape

from ipywidgets import HTML, Button, HBox, VBox

from posenb.core import Visibility
from posenb.labels import labels_csv
from posenb.widgets.label_moves import progress
from posenb.widgets.label_saving import Conflict, SavingStatus
from posenb.widgets.label_state import LabelState, to_labels

__all__ = ["STATUS_CSS", "Status"]

STATUS_CSS = """
.pnb .pnb-status { display: flex; flex-flow: row wrap; gap: 2px 14px; align-items: center;
  min-height: 24px; }
.pnb .pnb-lines { gap: 6px; }
.pnb .pnb-alert { display: flex; flex-flow: row wrap; gap: 8px; align-items: center;
  padding: 8px 10px; border: 1px solid currentColor; border-left-width: 4px;
  border-radius: var(--radius); color: var(--warn); background: var(--paper); }
.pnb .pnb-alert.pnb-loud { color: var(--bad); }
.pnb .pnb-alert > .widget-html { flex: 1 1 300px; width: auto; }
.pnb a.pnb-link { color: var(--accent); text-decoration: underline; }
.pnb .pnb-progress { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr));
  gap: 6px 16px; max-height: 108px; overflow: auto; }
.pnb .pnb-progress div > span { display: flex; justify-content: space-between; gap: 8px;
  font-size: 12px; color: var(--muted); font-variant-numeric: tabular-nums; }
.pnb .pnb-progress em { font-style: normal; white-space: nowrap; }
.pnb .pnb-progress b { font-weight: 500; color: var(--ink); overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
.pnb .pnb-progress .pnb-here b { font-weight: 700; }
"""


class Status:
    """What the labeller says of itself.

    Parameters
    ----------
    take, keep : callable
        Called when the value of the other person, or one's own, is chosen.
    retry : callable
        Called when saving is to be tried again at once.
    """

    def __init__(
        self,
        take: Callable[[Conflict], None],
        keep: Callable[[], None],
        retry: Callable[[], None],
    ) -> None:
        self._conflict: Conflict | None = None
        self._told: tuple[object, ...] = ()
        self._saving = HTML()
        self._message = HTML()
        self._trouble = HTML()
        self._dispute = HTML()
        self.progress = HTML()
        again, theirs, mine = (
            Button(description=text, tooltip=text)
            for text in ("Try again", "Use the other", "Keep mine")
        )
        again.on_click(lambda _: retry())
        theirs.on_click(lambda _: take(self._conflict) if self._conflict else None)
        mine.on_click(lambda _: keep())
        self._failure = HBox([self._trouble, again])
        self._conflicts = HBox([self._dispute, theirs, mine])
        for box, names in (
            (self._failure, ("pnb-alert", "pnb-loud")),
            (self._conflicts, ("pnb-alert",)),
        ):
            for name in names:
                box.add_class(name)
            box.layout.display = "none"
        line = HBox([self._saving, self._message])
        line.add_class("pnb-status")
        self.widget = VBox([self._failure, self._conflicts, line])
        self.widget.add_class("pnb-lines")

    def show_saving(self, status: SavingStatus, state: LabelState, scorer: str) -> None:
        """Tell whether all is saved; where it cannot be, why, and offer the labels."""
        told = (status.kind, status.error, round(status.next_attempt), state.points)
        if told == self._told:
            return
        self._told = told
        failed = status.kind == "failed"
        self._failure.layout.display = "flex" if failed else "none"
        if failed:
            self._trouble.value = (
                "<b>Not saved.</b> Your labels are safe in this window as long as the kernel "
                f"runs, and saving is tried again in {status.next_attempt:.0f} s. "
                f"{_download_html(state, scorer)}<br>{escape(status.error)}"
            )
        text = {
            "saved": '<span class="pnb-good">✓ Saved</span>',
            "waiting": '<span class="pnb-muted">Saving …</span>',
            "failed": '<span class="pnb-bad">Not saved</span>',
        }
        self._saving.value = text[status.kind]

    def show_message(self, state: LabelState) -> None:
        """Tell what came of the last step, or what the next click does."""
        i, k = state.cell
        name = escape(state.skeleton.keypoints[k])
        animal = escape(state.individuals[i])
        does = "moves" if state.here.said[i, k] else "places"
        hint = f"Click {does} <b>{name}</b>" + (f" of <b>{animal}</b>" if animal else "")
        self._message.value = escape(state.message) if state.message else hint

    def show_conflicts(self, conflicts: tuple[Conflict, ...], state: LabelState) -> None:
        """Tell of the first of the conflicts; without any, of none."""
        self._conflict = conflicts[0] if conflicts else None
        self._conflicts.layout.display = "flex" if conflicts else "none"
        if self._conflict is None:
            return
        more = f" {len(conflicts) - 1} more after this." if len(conflicts) > 1 else ""
        self._dispute.value = (
            f"<b>Somebody else changed {_conflict_html(self._conflict, state)} as well.</b> "
            "Yours was saved last and stands in the table; the other is kept in the folder "
            f"<code>.history</code> beside it.{more}"
        )

    def show_progress(self, state: LabelState) -> None:
        """Show a bar for each video."""
        here = state.frames[state.frame].video
        bars = "".join(
            f"<div{' class=pnb-here' if each.video == here else ''}>"
            f"<span><b>{escape(each.video or 'all frames')}</b>"
            f"<em>{each.labelled} / {each.total}</em></span>"
            f'<div class="pnb-bar"><i style="width:{100 * each.labelled / each.total:.1f}%"></i>'
            "</div></div>"
            for each in progress(state)
        )
        self.progress.value = f'<div class="pnb-progress">{bars}</div>'


def _conflict_html(conflict: Conflict, state: LabelState) -> str:
    i, k = conflict.cell
    owner = f" of {state.individuals[i]}" if state.individuals[i] else ""
    name = escape(f"{state.skeleton.keypoints[k]}{owner} in {'/'.join(conflict.frame)}")
    if conflict.visibility == Visibility.UNLABELLED:
        return f"{name} (deleted it)"
    if conflict.position is None:
        return f"{name} (said that it is not in the frame)"
    x, y = conflict.position
    return f"{name} (put it at {x:.1f}, {y:.1f})"


def _download_html(state: LabelState, scorer: str) -> str:
    """Return links to the tables as they would be saved, one for each video."""
    links = []
    for video in state.videos:
        rows = [n for n, frame in enumerate(state.frames) if frame.video == video]
        said = [n for n in rows if state.points[n].said.any()]
        if said:
            text = labels_csv(to_labels(state, said, scorer))
            data = b64encode(text.encode()).decode()
            name = escape(f"CollectedData_{scorer}_{video or 'all'}.csv", quote=True)
            links.append(
                f'<a class="pnb-link" download="{name}" href="data:text/csv;base64,{data}">'
                f"Download {escape(video or 'labels')}</a>"
            )
    return " ".join(links)
