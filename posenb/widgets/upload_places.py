"""Videos that lie already on a drive, in a bucket or behind a URL."""

from __future__ import annotations

from posenb import storage
from posenb.errors import ProjectError
from posenb.project.adding import expand

__all__ = ["find_videos"]

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
