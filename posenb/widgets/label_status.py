"""The lines below the canvas: whether all is saved, what happened last, who disagrees."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from html import escape

from ipywidgets import HTML, Button, HBox, VBox

from posenb.core import Visibility
from posenb.labels import labels_csv
from posenb.widgets.label_moves import VideoProgress, progress
from posenb.widgets.label_others import Conflict
from posenb.widgets.label_saving import SavingStatus
from posenb.widgets.label_state import LabelState, to_labels

__all__ = ["STATUS_CSS", "Status", "next_conflicts"]

_NAMED = 4  # keypoints of one frame that are told one by one

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
.pnb .pnb-progress { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr));
  gap: 6px 16px; max-height: 108px; overflow: auto; }
.pnb .pnb-progress .pnb-bar { display: flex; }
.pnb .pnb-progress .pnb-bar > i { border-radius: 0; }
.pnb .pnb-progress .pnb-bar > i + i { opacity: 0.4; }
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
    take : callable
        Called when what does not stand in the table, of the conflicts that are told, is
        to stand there.
    keep : callable
        Called when what stands there is to stay. Receives whether that goes for all
        conflicts, also those that are not told yet.
    show : callable
        Called when the frame of the conflicts that are told is to be shown.
    retry : callable
        Called when saving is to be tried again at once.
    """

    def __init__(
        self,
        take: Callable[[], None],
        keep: Callable[[bool], None],
        show: Callable[[], None],
        retry: Callable[[], None],
    ) -> None:
        self._told: tuple[object, ...] = ()
        self._saving = HTML()
        self._message = HTML()
        self._fault = HTML()
        self._trouble = HTML()
        self._dispute = HTML()
        self.progress = HTML()
        again, there, self._other, self._stay, self._all = (
            Button(description=text, tooltip=text) for text in ("Try again", "Show", "", "", "")
        )
        again.on_click(lambda _: retry())
        there.on_click(lambda _: show())
        self._other.on_click(lambda _: take())
        self._stay.on_click(lambda _: keep(False))
        self._all.on_click(lambda _: keep(True))
        self._failure = HBox([self._trouble, again])
        self._conflicts = HBox([self._dispute, there, self._other, self._stay, self._all])
        for box, names in (
            (self._failure, ("pnb-alert", "pnb-loud")),
            (self._conflicts, ("pnb-alert",)),
        ):
            for name in names:
                box.add_class(name)
            box.layout.display = "none"
        self._fault.layout.display = "none"
        line = HBox([self._saving, self._message])
        line.add_class("pnb-status")
        self.widget = VBox([self._failure, self._conflicts, line, self._fault])
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

    @property
    def urgent(self) -> str:
        """What is told below the canvas, where a window may end before, in a few words."""
        if self._failure.layout.display != "none":
            return "Not saved: see below"
        return "Changed by others: see below" if self._conflicts.layout.display != "none" else ""

    def show_message(self, state: LabelState) -> None:
        """Tell what came of the last step, or what the next click does."""
        i, k = state.cell
        name = escape(state.skeleton.keypoints[k])
        animal = escape(state.individuals[i])
        does = "moves" if state.here.said[i, k] else "places"
        hint = f"Click {does} <b>{name}</b>" + (f" of <b>{animal}</b>" if animal else "")
        hint = "" if state.broken else hint
        self._message.value = escape(state.message) if state.message else hint

    def show_fault(self, fault: str) -> None:
        """Tell that deleted suggestions are not remembered, where that is so."""
        self._fault.layout.display = "block" if fault else "none"
        self._fault.value = (
            '<span class="pnb-warn">Which suggestions you deleted is not remembered; your labels '
            f"are not concerned.</span> {escape(fault)}"
        )

    def show_conflicts(self, conflicts: tuple[Conflict, ...], state: LabelState) -> None:
        """Tell of the first of the conflicts; without any, of none."""
        self._conflicts.layout.display = "flex" if conflicts else "none"
        told = next_conflicts(conflicts)
        if not told:
            return
        rest = len(conflicts) - len(told)
        mine = told[0].mine_stands
        self._other.description = "Use theirs" if mine else "Put mine back"
        self._stay.description = "Keep mine" if mine else "Leave theirs"
        self._all.description = "Leave all as they are"
        self._all.layout.display = None if rest else "none"
        for button in (self._other, self._stay, self._all):
            button.tooltip = button.description
        more = f" {rest} more after this." if rest else ""
        what = _conflicts_html(told, state)
        self._dispute.value = (
            f"<b>Somebody else changed the same as you:</b> {what}. Yours was saved last and "
            f"stands in the table; theirs is kept in <code>.history</code> beside it.{more}"
            if mine
            else f"<b>Somebody else changed what you had saved:</b> {what}. Theirs stands in the "
            f"table.{more}"
        )

    def show_progress(self, state: LabelState) -> None:
        """Show a bar for each video."""
        here = state.frames[state.frame].video
        bars = "".join(_bar_html(each, here=each.video == here) for each in progress(state))
        self.progress.value = f'<div class="pnb-progress">{bars}</div>'


def next_conflicts(conflicts: tuple[Conflict, ...]) -> tuple[Conflict, ...]:
    """Return the first of the conflicts and those of its kind in the same frame, told at once."""
    return tuple(
        each
        for each in conflicts
        if (each.frame, each.mine_stands) == (conflicts[0].frame, conflicts[0].mine_stands)
    )


def _bar_html(video: VideoProgress, *, here: bool) -> str:
    name = escape(video.video or "all frames", quote=True)
    begun = f", {video.begun} begun" if video.begun else ""
    whole = f"{video.done} of {video.total} frames done{begun}"
    parts = "".join(
        f'<i style="width:{100 * part / video.total:.1f}%"></i>'
        for part in (video.done, video.begun)
    )
    return (
        f'<div{" class=pnb-here" if here else ""} title="{name}: {whole}">'
        f"<span><b>{name}</b><em>{video.done} / {video.total}{begun}</em></span>"
        f'<div class="pnb-bar">{parts}</div></div>'
    )


def _conflicts_html(told: tuple[Conflict, ...], state: LabelState) -> str:
    names = [_conflict_html(each, state) for each in told[:_NAMED]]
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f"{', '.join(names)}{more} in {escape('/'.join(filter(None, told[0].frame)))}"


def _conflict_html(conflict: Conflict, state: LabelState) -> str:
    i, k = conflict.cell
    owner = f" of {state.individuals[i]}" if state.individuals[i] else ""
    name = escape(f"{state.skeleton.keypoints[k]}{owner}")
    said = conflict.theirs
    if said.visibility == Visibility.UNLABELLED:
        return f"{name} (deleted)"
    if said.position is None:
        return f"{name} (said to be not in the frame)"
    x, y = said.position
    hidden = ", hidden" if said.visibility == Visibility.OCCLUDED else ""
    return f"{name} (put at {x:.1f}, {y:.1f}{hidden})"


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
