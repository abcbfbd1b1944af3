"""Which poses are meant when they, their video or their run may be named."""

from __future__ import annotations

from pathlib import PurePosixPath

from posenb import storage
from posenb.errors import AnalysisError
from posenb.project import Run, open_run

__all__ = ["Recording", "find_recordings", "find_subjects"]

_TABLES = ("poses.h5", "poses.csv")
_ABOVE = 6  # folders above a video in which its project may be

Recording = tuple[str, str | None]
"""URL of poses, and of their video if that was named."""


def find_recordings(urls: list[str]) -> list[Recording]:
    """Return the poses that `urls` mean.

    Parameters
    ----------
    urls : list of str
        Folders or tables of poses, runs (all that was analyzed with them) or analyzed
        videos.

    Raises
    ------
    AnalysisError
        If one of them has no poses, or a video has several.
    """
    return [found for url in urls for found in _find(storage.resolve(url))]


def find_subjects(urls: list[str]) -> list[Recording]:
    """Return the poses that `urls` mean as `find_recordings` does, but runs as they are."""
    return [
        found
        for url in urls
        for found in ([(url, None)] if _is_run(url) else find_recordings([url]))
    ]


def _is_run(url: str) -> bool:
    return storage.exists(Run(storage.resolve(url)).config_url)


def _find(url: str) -> list[Recording]:
    if url.endswith((".h5", ".csv")) or _has_poses(url):
        return [(url, None)]
    if _is_run(url):
        return [(poses, None) for poses in _of_run(open_run(url))]
    if not storage.exists(url) or storage.is_folder(url):
        raise AnalysisError(
            f"Poses are named by their folder or table, their run or their video; {url} is none of "
            "these. Analyze the video first, or check the path."
        )
    found = _of_video(url)
    if len(found) != 1:
        several = f"several: {', '.join(found)}" if found else "none beside it or in its project"
        raise AnalysisError(
            f"A video may stand for its poses if it has been analyzed once; {url} has {several}. "
            "Name the folder of the poses, and the video with --video."
        )
    return [(found[0], url)]


def _has_poses(folder: str) -> bool:
    return any(storage.exists(storage.join(folder, table)) for table in _TABLES)


def _of_run(run: Run) -> list[str]:
    folders = storage.list_folders(storage.join(run.project_url, "poses"))
    found = [storage.join(folder, run.name) for folder in folders]
    found = [folder for folder in found if _has_poses(folder)]
    if not found:
        raise AnalysisError(
            f"A run stands for the poses it found; {run.url} has analyzed no video of its project. "
            f"Analyze one first: posenb analyze {run.url} VIDEO"
        )
    return found


def _of_video(url: str) -> list[str]:
    stem = PurePosixPath(storage.name(url)).stem
    folder = storage.parent(url)
    beside = storage.join(folder, f"{stem}_poses")
    found = [beside, *storage.list_folders(beside)]  # the models of the zoo have one each
    for _ in range(_ABOVE):
        found += storage.list_folders(storage.join(folder, "poses", stem))
        folder = storage.parent(folder)
    return [each for each in dict.fromkeys(found) if _has_poses(each)]
