"""Adding videos to a project."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from posenb import storage
from posenb._progress import Progress, tqdm_progress
from posenb.errors import ProjectError, VideoWarning
from posenb.project.manifest import MANIFEST, Crop, Video, add_entries, clash, make_video
from posenb.project.places import write_path
from posenb.project.value import VIDEOS, Project

__all__ = ["add_videos", "expand"]

_MAGIC = ("*", "?", "[")


def add_videos(
    project: Project,
    urls: storage.Url | Sequence[storage.Url],
    *,
    copy: bool = False,
    crop: Crop | None = None,
    progress: Progress = tqdm_progress,
) -> Project:
    """Add videos, which stay where they are unless they shall be copied.

    The manifest stores a path relative to the project for a local video below it or
    beside it (``../raw/m1.mp4``), so that the folder that holds both can move; for one on
    another drive or in the cloud, an absolute path or URL. A project that shall move or be
    shared alone had better hold its videos (`copy`) or refer to them in the cloud. Either
    all of the videos are added or none. Adding a video again changes nothing; adding one
    that has moved, from where it is now, mends the project. In a folder of another program
    the videos are noted in ``posenb.yaml`` beside that program's files.

    Parameters
    ----------
    project : Project
    urls : str, PathLike or sequence of them
        Paths, URLs or patterns with ``*``, ``?``, ``[...]`` and ``**``, on any file
        system.
    copy : bool, optional
        Copy them into the folder ``videos/``. A copy arrives whole or not at all; what
        has arrived is not copied again when the work is cut off and run again.
    crop : (int, int, int, int), optional
        x1, x2, y1, y2 in pixels of the displayed video, the ends excluded: the part of
        the picture that matters.
    progress : callable, optional
        Makes the progress bar; it counts videos.

    Returns
    -------
    Project
        The project with the videos.

    Raises
    ------
    ConfigError
        If the crop has no area.
    ProjectError
        If a pattern matches nothing, or two videos that are there have the same name.
    VideoError
        If a file is not a readable video.

    Warns
    -----
    VideoWarning
        If a video takes the place of one that is gone.
    """
    from posenb.video import probe

    home = project.reload()
    sources = expand([urls] if isinstance(urls, str | os.PathLike) else urls)
    entries: dict[str, Video] = {}
    origins: dict[str, str] = {}
    gone: dict[str, str] = {}
    for url in sources:
        name = storage.name(url)
        stem = PurePosixPath(name).stem
        path = f"{VIDEOS}/{name}" if copy else write_path(url, home.url)
        known = home.videos.get(stem)
        place = url if known is None else home.video_url(stem)
        if stem in origins:
            raise ProjectError(clash(stem, origins[stem], url))
        if known not in (None, path) and place != url:
            if storage.exists(place):
                raise ProjectError(clash(stem, place, url))
            gone[stem] = place
        origins[stem] = url
        if not copy and place == url and known is not None:
            path = known
        entry = make_video(path=path, crop=crop or home.crops.get(stem))
        lost = copy and not storage.exists(storage.join(home.url, path))
        if lost or known is None or entry != Video(path=known, crop=home.crops.get(stem)):
            entries[stem] = entry
    for stem in entries:
        probe(origins[stem])
    with progress(len(entries), "Adding videos", "video") as bar:
        for stem, entry in entries.items():
            if copy:
                _copy_once(origins[stem], storage.join(home.url, entry.path))
            bar.advance(video=stem)
    if entries:
        add_entries(storage.join(home.url, MANIFEST), home.kind, entries, home.videos)
    for stem, place in gone.items():
        warnings.warn(_moved(stem, place, origins[stem]), VideoWarning, stacklevel=2)
    return home.reload()


def _moved(stem: str, place: str, url: str) -> str:
    return (
        f"{place} is gone, so the project's video {stem!r} is {url} now. If that is another "
        "recording, put the first one back and rename this one: frames and poses would be mixed."
    )


def _copy_once(source: str, target: str) -> None:
    # storage.copy never leaves half a file, so one of the right size is a finished copy
    if storage.exists(target):
        if storage.size(target) == storage.size(source):
            return
        raise ProjectError(
            f"{source} is to be copied to {target}, where another file is. Rename one of them."
        )
    storage.copy(source, target)


def expand(urls: Sequence[storage.Url]) -> list[str]:
    """Return the URLs that `urls` and the patterns among them mean, each once."""
    found: dict[str, None] = {}
    for url in urls:
        whole = storage.resolve(url)
        if not any(sign in whole for sign in _MAGIC) or storage.exists(whole):
            found[whole] = None
            continue
        matches = _glob(whole)
        if not matches:
            raise ProjectError(f"No video matches the pattern {whole}. Check the spelling.")
        found.update(dict.fromkeys(matches))
    return list(found)


def _glob(pattern: str) -> list[str]:
    parts: list[str] = []
    folder = pattern
    while any(sign in folder for sign in _MAGIC):
        parts.insert(0, storage.name(folder))
        folder = storage.parent(folder)
    if len(parts) == 1:
        return storage.list_files(folder, parts[0])
    return [
        url
        for url in storage.list_files(folder, recursive=True)
        if _matches((storage.relative(url, folder) or "").split("/"), parts)
    ]


def _matches(path: list[str], pattern: list[str]) -> bool:
    if not pattern or not path:
        return not pattern and not path
    if pattern[0] == "**":
        return _matches(path, pattern[1:]) or _matches(path[1:], pattern)
    return fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])
