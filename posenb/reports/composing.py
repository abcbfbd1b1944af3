"""A report as a page: the recordings, and what stands around and below them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib.resources import files
from pathlib import PurePosixPath
from string import Template
from typing import Literal

from posenb.plots.theme import MONOSPACE, ThemeName, keypoint_colours
from posenb.plots.trajectories import (
    TrajectoriesParts,
    json_block,
    page_code,
    page_style,
    trajectories_parts,
)
from posenb.reports.clip import Clip, clock
from posenb.reports.found import Found, Moment, summarise_found
from posenb.reports.recordings import Recording
from posenb.reports.tables import data_url, number, percent, plural, table

__all__ = ["ReportTheme", "compose"]

ReportTheme = Literal["auto"] | ThemeName


def compose(
    title: str,
    lead: Sequence[str],
    recordings: Sequence[Recording],
    sections: Sequence[str],
    *,
    cutoff: float,
    theme: ReportTheme,
) -> str:
    """Return a page that opens offline and asks for nothing.

    Parameters
    ----------
    title : str
        Heading.
    lead : sequence of str
        First words, in paragraphs.
    recordings : sequence of Recording
        Of which the page shows one at a time.
    sections : sequence of str
        HTML below them.
    cutoff : float
        Least likelihood that is shown at first.
    theme : {"auto", "light", "dark"}
        Look at first; "auto" is that of the browser.

    Returns
    -------
    str
        HTML.
    """
    parts = [_parts(recording, cutoff) for recording in recordings]
    alone = len(parts) == 1
    scripts = [_script("choosing.js"), page_code()] if parts else []
    facts = f'<p id="facts">{html.escape(parts[0].facts)}</p>' if alone else ""
    return Template(_asset("report.html")).substitute(
        title=html.escape(title),
        facts=facts,
        lead="".join(f'<p class="lead">{html.escape(each)}</p>' for each in lead),
        theme="light" if theme == "auto" else theme,
        style=page_style() + _asset("report.css").replace("$monospace", MONOSPACE),
        chooser=_script("theme.js") if theme == "auto" else "",
        videos=parts[0].tools if alone else _chooser(recordings),
        recordings=_alone(recordings[0], parts[0]) if alone else _several(recordings, parts),
        sections="\n".join(sections),
        blocks="\n".join([*scripts, _script("report.js")]),
    )


def _chooser(recordings: Sequence[Recording]) -> str:
    if not recordings:
        return ""
    options = "".join(
        f'<option value="{n}">{html.escape(each.title)}</option>'
        for n, each in enumerate(recordings, 1)
    )
    return (
        '<div class="tool"><label for="video">Video</label>'
        f'<select id="video">{options}</select></div>'
    )


def _alone(recording: Recording, parts: TrajectoriesParts) -> str:
    return _block(recording, parts.panels + parts.data)


def _several(recordings: Sequence[Recording], parts: Sequence[TrajectoriesParts]) -> str:
    return "".join(
        '<template class="recording">'
        + _block(
            recording,
            f'<header><div class="heading"><p id="facts">{html.escape(each.facts)}</p></div>'
            f'<div class="tools">{each.tools}</div></header>{each.panels}{each.data}',
        )
        + "</template>"
        for recording, each in zip(recordings, parts, strict=True)
    )


def _block(recording: Recording, content: str) -> str:
    clip = recording.clip
    if clip is None:
        return f'<p class="note">{html.escape(recording.lacking)}</p>{content}'
    facts = {"fps": clip.fps, "frames": clip.frames.tolist()}
    data = data_url("video/mp4", clip.data).partition(",")[2]
    aspect = clip.size[0] / clip.size[1]
    return (
        f'<div class="watch" style="--aspect: {aspect:.4f}">{content}</div>'
        f"{json_block('clip-facts', facts)}"
        f'<script type="text/plain" id="clip-data">{data}</script>'
    )


def _parts(recording: Recording, cutoff: float) -> TrajectoriesParts:
    clip = "" if recording.clip is None else _player(recording.clip, recording.title)
    return trajectories_parts(
        recording.poses,
        image=recording.image,
        note=recording.note,
        cutoff=cutoff,
        reference=recording.reference,
        beside=clip + _found(recording, cutoff),
    )


def _player(clip: Clip, title: str) -> str:
    return Template(_asset("clip.html")).substitute(
        note=html.escape(clip.note),
        file=html.escape(f"{PurePosixPath(title).stem}_labelled.mp4"),
        poster=data_url("image/jpeg", clip.poster),
    )


def _found(recording: Recording, cutoff: float) -> str:
    """Return the panel that tells how surely each keypoint was found."""
    poses = recording.poses
    # Colours are those of the individuals where there are several.
    own = len(poses.individuals) == 1
    light, dark = (keypoint_colours(len(poses.skeleton), each) for each in ("light", "dark"))
    rows = [
        (
            (f'<i style="--light: {light[n]}; --dark: {dark[n]}"></i>' if own else "")
            + html.escape(found.keypoint),
            percent(found.share),
            _gap(found, recording),
            _jump(found, recording),
        )
        for n, found in enumerate(summarise_found(poses, cutoff))
    ]
    listing = table(("keypoint", "found", "longest gap", "longest step"), rows)
    return (
        '<section class="found" aria-label="How surely"><div class="bar"><h2>How surely</h2>'
        f'<p class="note">likelihood of {cutoff:g} or more</p></div>'
        f'<div class="scroll">{listing}</div></section>'
    )


def _gap(found: Found, recording: Recording) -> str:
    if found.gap is None:
        return "–"
    count, fps = int(found.gap.amount), recording.poses.fps
    long = fps > 0 and count >= fps
    return _moment(found.gap, f"{count / fps:.1f} s" if long else plural(count, "frame"), recording)


def _jump(found: Found, recording: Recording) -> str:
    if found.jump is None:
        return "–"
    return _moment(found.jump, f"{number(found.jump.amount)} px", recording)


def _moment(moment: Moment, words: str, recording: Recording) -> str:
    """Return a button that leads to a moment."""
    poses = recording.poses
    assert poses.frames is not None
    when = clock(float(poses.times[moment.index])) if poses.fps > 0 else ""
    place = when or f"frame {poses.frames[moment.index]}"
    return (
        f'<button type="button" data-index="{moment.index}" title="Go there">{words}'
        f" <span>{place}</span></button>"
    )


def _asset(name: str) -> str:
    return files("posenb.reports").joinpath("assets", name).read_text("utf-8")


def _script(name: str) -> str:
    return f"<script>\n{_asset(name)}</script>"
