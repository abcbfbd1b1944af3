"""The verb `report`: all there is of poses or a run, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import get_args

from posenb import storage
from posenb._names import unknown_name
from posenb._progress import Progress, tqdm_progress
from posenb.core import Poses
from posenb.errors import InvalidInputError
from posenb.inference import load_poses, source_video
from posenb.overlays import LabelledVideoConfig
from posenb.overlays.config import Moment
from posenb.plots.theme import ThemeName
from posenb.plots.trajectories import check_cutoff
from posenb.project import Run
from posenb.reports.clip import Span
from posenb.reports.composing import ReportTheme, compose
from posenb.reports.recordings import Recording, Truth, make_recording
from posenb.reports.runs import RunStory, analyzed, find_run, read_run
from posenb.reports.sections import (
    files_section,
    headline,
    recording_sections,
    run_sections,
    truth_section,
)

__all__ = ["Look", "report", "write_report"]

_THEMES = ("auto", *get_args(ThemeName))


def report(
    source: Poses | Run | storage.Url,
    *,
    output: storage.Url | None = None,
    video: storage.Url | None = None,
    start: Moment | None = None,
    stop: Moment | None = None,
    cutoff: float = 0.6,
    theme: ReportTheme = "auto",
    progress: Progress = tqdm_progress,
) -> str:
    """Write one page to mail or to keep: the labelled clip, the trajectories, how exact they are.

    The page is a single file that opens offline in any browser. A click in the
    trajectories leads the clip to that moment, and playing the clip leads a cursor
    through the trajectories. Below stand, of the run that made the poses, its
    evaluation, its worst frames and its learning curve, and how all of it was made. Of
    a run, the page shows the videos of its project that it has analyzed, one at a time.

    The clip is the first minute that has poses, 480 to 720 pixels at the longer side, in
    at most 4.5 MB; of several videos each gets its part of both. The file then has 4 to 9 MB.

    Parameters
    ----------
    source : Poses, Run, str or PathLike
        Poses, the folder or table they lie in, a run or its folder.
    output : str or PathLike, optional
        The ``.html`` to write; by default ``report.html`` beside the poses or in the
        folder of the run.
    video : str or PathLike, optional
        The video that the poses belong to; by default the one that they were found in.
    start, stop : int or str, optional
        Range of the clip, the end excluded: frames, or seconds written like "12.5s".
    cutoff : float, optional
        Points of a smaller likelihood are not shown at first and count as not found.
    theme : {"auto", "light", "dark"}, optional
        Look at first; "auto" is that of the browser.
    progress : callable, optional
        Makes the progress bar; it counts frames of the clip.

    Returns
    -------
    str
        URL of the page.

    Raises
    ------
    InvalidInputError, ConfigError
        If `cutoff` is no likelihood, the range does not lie in the video, `output` is no
        ``.html`` or missing for poses that lie in no file, or one video is given for the
        poses of several.
    UnknownNameError
        If there is no such theme.
    LabelError, AnalysisError, ProjectError
        If there are neither poses nor a run at the URL, or they cannot be read.
    VideoError, StorageError
        If a video that was asked for cannot be read, or the page cannot be written,
        which is found out before the work.

    Warns
    -----
    VideoWarning
        If frames of the video are missing or cannot be decoded.

    Examples
    --------
    >>> report("reach/poses/m3v1/first")  # doctest: +SKIP
    '/data/reach/poses/m3v1/first/report.html'
    """
    look = Look((start, stop), cutoff, theme, video)
    check_cutoff(cutoff)
    LabelledVideoConfig(start=start, stop=stop)
    if theme not in _THEMES:
        raise unknown_name("theme", theme, _THEMES)
    if isinstance(source, Poses):
        poses = source
    elif isinstance(source, Run):
        return _report_run(source.url, output, look, progress)
    elif _is_run(source):
        return _report_run(source, output, look, progress)
    else:
        poses = load_poses(source)
    return write_report(poses, _beside(poses, look) if output is None else output, look, progress)


@dataclass(frozen=True, slots=True)
class Look:
    """What a report shows of its recordings.

    Parameters
    ----------
    span : tuple
        Range of the clip, as for `make_clip`.
    cutoff : float
    theme : {"auto", "light", "dark"}
    video : str or PathLike or None
        As for `report`.
    title : str or None
        What the video is called, if not by its URL.
    lead : str
        First words of the page.
    """

    span: Span = (None, None)
    cutoff: float = 0.6
    theme: ReportTheme = "auto"
    video: storage.Url | None = None
    title: str | None = None
    lead: str = ""


def write_report(
    poses: Poses,
    output: storage.Url,
    look: Look,
    progress: Progress,
    truth: Truth | None = None,
) -> str:
    """Write the report of the poses of one video.

    Parameters
    ----------
    poses : Poses
    output : str or PathLike
        The ``.html``.
    look : Look
    progress : callable
        Makes the progress bar.
    truth : Truth, optional
        If it is known; the report then begins with it.

    Returns
    -------
    str
        URL of the page.
    """
    page = _page(output)
    run = find_run(poses)
    story = None if run is None else read_run(run.url)
    recording = _recording(poses, look, 1.0, progress, truth)
    model = poses.provenance.get("model")
    digest = model.get("sha256") if isinstance(model, dict) else None
    lead = [] if truth is None else [truth.lead]
    lead += [look.lead] if look.lead else []
    sections = [] if truth is None else [truth_section(truth)]
    if story is not None:
        lead += [headline(story)] if truth is None else []
        sections += run_sections(story, digest)
    sections += recording_sections([recording])
    sections += [] if truth is None else [files_section(truth)]
    title = recording.title if truth is None else truth.title
    return _write(page, title, lead, [recording], sections, look)


def _report_run(
    url: storage.Url, output: storage.Url | None, look: Look, progress: Progress
) -> str:
    story = read_run(url)
    page = _page(storage.join(story.run.url, "report.html") if output is None else output)
    folders = analyzed(story.run)
    if len(folders) != 1 and (look.video is not None or look.span != (None, None)):
        raise InvalidInputError(
            f"A video or a range is given for the poses of one video; {story.run.url} has those of "
            f"{len(folders)}. Make a report of each: report('/folder/of/the/poses', ...)."
        )
    recordings = [
        _recording(load_poses(folder), look, 1 / len(folders), progress) for folder in folders
    ]
    lead = [headline(story), "" if folders else _no_poses(story)]
    sections = [*run_sections(story, _model(recordings)), *recording_sections(recordings)]
    return _write(page, story.run.name, lead, recordings, sections, look)


def _no_poses(story: RunStory) -> str:
    if not story.run.finished:
        return "The training has not finished yet."
    return f"No video has been analyzed yet. To do so: posenb analyze {story.run.url} VIDEO"


def _model(recordings: Sequence[Recording]) -> str | None:
    """Return the model that found the poses, where all were found by one."""
    models = {
        str(dict(each.poses.provenance.get("model", {})).get("sha256")) for each in recordings
    }
    return models.pop() if len(models) == 1 else None


def _recording(
    poses: Poses, look: Look, share: float, progress: Progress, truth: Truth | None = None
) -> Recording:
    made = make_recording(
        poses,
        video=look.video,
        span=look.span,
        cutoff=look.cutoff,
        share=share,
        reference=None if truth is None else truth.poses,
        progress=progress,
    )
    if look.title is None:
        return made
    note = made.note.replace(made.title, look.title)
    return replace(made, title=look.title, note=note)


def _write(
    page: str,
    title: str,
    lead: Sequence[str],
    recordings: Sequence[Recording],
    sections: Sequence[str],
    look: Look,
) -> str:
    words = [each for each in lead if each]
    text = compose(title, words, recordings, sections, cutoff=look.cutoff, theme=look.theme)
    storage.write_text(page, text)
    return page


def _is_run(url: storage.Url) -> bool:
    whole = storage.resolve(url)
    return not whole.endswith((".h5", ".csv")) and storage.exists(Run(whole).config_url)


def _beside(poses: Poses, look: Look) -> str:
    """Return where the report of poses goes by default."""
    origin = poses.url or look.video or source_video(poses)
    if origin is None:
        raise InvalidInputError(
            "A report goes beside the poses; these lie in no file. Say where to: report(..., "
            "output='/a/folder/report.html')."
        )
    stem = PurePosixPath(storage.name(origin)).stem
    name = "report.html" if stem == "poses" else f"{stem}_report.html"
    return storage.join(storage.parent(origin), name)


def _page(output: storage.Url) -> str:
    """Return the URL to write, having made sure before the work that it can be written."""
    page = storage.resolve(output)
    if storage.is_folder(page):
        page = storage.join(page, "report.html")
    if not page.lower().endswith((".html", ".htm")):
        raise InvalidInputError(
            f"A report is a page, whose name ends in .html; got {output}. Give another name, or a "
            "folder that is there."
        )
    probe = f"{page}.writable"
    storage.write_bytes(probe, b"")
    storage.remove(probe)
    return page
