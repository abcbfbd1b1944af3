"""Videos that lie already on a drive, in a bucket or behind a URL."""

from __future__ import annotations

from typing import Any

from posenb import storage
from posenb.errors import PosenbError, ProjectError
from posenb.project import Project
from posenb.project.adding import expand
from posenb.project.value import VIDEOS

__all__ = ["find_for", "find_videos", "mark_known", "say_place"]

_SHOWN = 300

_SUFFIXES = (
    *(".3gp", ".asf", ".avi", ".flv", ".h264", ".hevc", ".m2ts", ".m4v", ".mj2", ".mkv", ".mov"),
    *(".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".webm", ".wmv", ".y4m"),
)


def find_videos(text: str) -> list[str]:
    """List the videos that a path, a folder, a pattern or a URL means, as whole URLs.

    In a folder, files count whose names end like those of videos; of a pattern or a single
    file, everything does.

    Raises
    ------
    InvalidInputError
        If the text is no path or URL.
    ProjectError
        If nothing is there.
    StorageError
        If the place cannot be asked.
    """
    place = text.strip().strip("\"'")
    whole = storage.resolve(place)
    if not whole.startswith(("http://", "https://")) and storage.is_folder(whole):
        files = storage.list_files(whole)
        found = [url for url in files if storage.name(url).lower().endswith(_SUFFIXES)]
        if not found:
            raise ProjectError(
                f"No video lies right in {whole}. Write {whole}/**/*.mp4 to look further down."
            )
        return found
    found = expand([place])
    if found == [whole] and not storage.exists(whole):
        raise ProjectError(f"Nothing is at {whole}. Check the spelling.")
    return found


def find_for(project: Project, text: str) -> dict[str, Any] | None:
    """Return what the page shows of the videos that `text` means; None if it is blank."""
    if not text.strip():
        return None
    try:
        urls = find_videos(text)
    except PosenbError as error:
        return {"text": text, "items": [], "more": 0, "message": str(error)}
    known = {project.video_url(stem) for stem in project.videos}
    items = [
        {"url": url, "name": storage.name(url), "known": url in known} for url in urls[:_SHOWN]
    ]
    return {"text": text, "items": items, "more": len(urls) - len(items), "message": ""}


def mark_known(found: dict[str, Any], url: str) -> dict[str, Any]:
    """Return `found` with the video at `url` known to be in the project."""
    items = [{**item, "known": item["known"] or item["url"] == url} for item in found["items"]]
    return {**found, "items": items}


def say_place(project: str) -> str:
    """Return where videos go, short enough for a line: of a local path its last folders."""
    folder = storage.join(project, VIDEOS)
    if not storage.is_local(project):
        return folder
    return storage.relative(folder, storage.parent(project)) or folder
