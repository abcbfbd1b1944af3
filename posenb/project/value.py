"""The project as a value: what is known of it and where its parts lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TypeVar

from posenb import storage
from posenb._names import unknown_name
from posenb.core import FrameName, Labels, Skeleton
from posenb.errors import LabelError
from posenb.labels import has_labels, join_labels, read_labels, save_labels
from posenb.labels.files import FOLDER
from posenb.project.manifest import Crop, Kind
from posenb.project.places import locate

__all__ = ["VIDEOS", "Project"]

VIDEOS = "videos"
_WORKERS = 8

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Project:
    """A folder of videos, labels, runs and poses, and the facts they share.

    Made by `create_project` and `open_project`. It is a snapshot: `reload` reads it
    anew. Reading a project writes nothing.

    Parameters
    ----------
    url : str
        The folder.
    kind : {"posenb", "deeplabcut", "lightning-pose"}
        Whose layout the folder has.
    name : str
        The task.
    scorer : str
        Who labels; part of the names of label files.
    skeleton : Skeleton
    individuals : tuple of str, optional
        The animals; one unnamed animal (``("",)``) by default.
    videos : mapping of str to str, optional
        Path by name (the stem of the file name): relative to the folder, from which it
        may climb at its start (``../raw/m1.mp4``), or an absolute path or URL.
    crops : mapping of str to (int, int, int, int), optional
        x1, x2, y1, y2 in pixels of those videos that are to be cropped, the ends
        excluded.
    table : str, optional
        File, relative to the folder, that holds the labels of all videos together, as
        Lightning Pose keeps them; None where each video has a folder of its own.
    """

    url: str
    kind: Kind
    name: str
    scorer: str
    skeleton: Skeleton
    individuals: tuple[str, ...] = ("",)
    videos: Mapping[str, str] = field(default_factory=dict)
    crops: Mapping[str, Crop] = field(default_factory=dict)
    table: str | None = None

    def __post_init__(self) -> None:
        """Keep own, read-only copies of the mappings."""
        object.__setattr__(self, "url", storage.resolve(self.url))
        object.__setattr__(self, "individuals", tuple(self.individuals))
        object.__setattr__(self, "videos", MappingProxyType(dict(self.videos)))
        object.__setattr__(self, "crops", MappingProxyType(dict(self.crops)))

    @property
    def runs_url(self) -> str:
        """Folder of the training runs."""
        return storage.join(self.url, "runs")

    def poses_url(self, video: str, run: str) -> str:
        """Return the folder of the poses that `run` found in `video`."""
        return storage.join(self.url, "poses", video, run)

    def notes_url(self, name: str) -> str:
        """Return the file in which widgets keep what people decided, as ``picked``."""
        return storage.join(self.url, "notes", f"{name}.json")

    def image_url(self, frame: FrameName) -> str:
        """Return where the image of a labelled frame lies."""
        return storage.join(self.url, FOLDER, frame.video, frame.image)

    def labels_url(self, video: str) -> str:
        """Return the table that holds the labels of `video`, as `read_labels` takes it.

        It has no suffix, as it is an ``.h5`` and a ``.csv``; that of a Lightning Pose
        folder, which is a ``.csv`` alone and holds all videos, has its own.
        """
        if self.table is not None:
            return storage.join(self.url, self.table)
        return storage.join(self.url, FOLDER, video, f"CollectedData_{self.scorer}")

    def video_url(self, video: str) -> str:
        """Return where a video lies.

        Raises
        ------
        UnknownNameError
            If the project has no such video.
        """
        if video not in self.videos:
            raise unknown_name("video", video, tuple(self.videos))
        return locate(self.url, self.videos[video])

    def has_labels(self) -> bool:
        """Tell whether there is any label file of the project's scorer."""
        return bool(self._tables())

    def labels(self) -> Labels:
        """Read the labels of all videos.

        Returns
        -------
        Labels
            Keypoints and individuals as in the project, frames sorted by video.

        Raises
        ------
        LabelError
            If there are none, or a table breaks the layout.
        """
        urls = self._tables()
        if not urls:
            raise LabelError(self._no_labels())
        parts = _in_parallel(lambda url: read_labels(url, self.skeleton, self.individuals), urls)
        return replace(join_labels(parts), scorer=self.scorer)

    def save_labels(self, labels: Labels, *, base: Labels | None = None) -> None:
        """Merge labels into those of the project; see `posenb.labels.save_labels`.

        Parameters
        ----------
        labels : Labels
            Frames of any videos.
        base : Labels, optional
            What `labels` started from, so that only changes count and labels can be
            erased.

        Raises
        ------
        LabelError
            If `labels` has keypoints or individuals that the project lacks, or a frame
            without a video where each video has a folder of its own.
        """
        known = self.skeleton.keypoints
        strange = [name for name in labels.skeleton.keypoints if name not in known]
        strange += [name for name in labels.individuals if name not in self.individuals]
        if strange:
            raise LabelError(
                f"Labels have the project's keypoints ({', '.join(known)}) and "
                f"individuals {self.individuals}; got {', '.join(map(repr, strange))} too."
            )
        own = replace(labels, scorer=self.scorer)
        if self.table is not None:
            save_labels(self.labels_url(""), own, base=base)
            return
        if "" in labels.videos:
            raise LabelError(
                "Each labelled frame belongs to a video here; got frames without one. Name it in "
                "FrameName(video, image)."
            )
        for video in labels.videos:
            before = None if base is None else _of_video(base, video)
            save_labels(self.labels_url(video), _of_video(own, video), base=before)

    def reload(self) -> Project:
        """Return the project as its folder tells it now."""
        from posenb.project.opening import open_project

        return open_project(self.url)

    def _tables(self) -> list[str]:
        if self.table is not None:
            return [self.labels_url("")] if has_labels(self.labels_url("")) else []
        folders = storage.list_folders(storage.join(self.url, FOLDER))
        urls = [self.labels_url(storage.name(folder)) for folder in folders]
        there = _in_parallel(has_labels, urls)
        return [url for url, found in zip(urls, there, strict=True) if found]

    def _no_labels(self) -> str:
        below = storage.join(self.url, FOLDER)
        others = {
            PurePosixPath(storage.name(url)).stem.removeprefix("CollectedData_")
            for folder in storage.list_folders(below)
            for url in storage.list_files(folder, "CollectedData_*")
        }
        if others:
            return (
                f"No labels by the project's scorer {self.scorer!r} in {below}; there are labels "
                f"by {', '.join(sorted(others))}. Rename the files and the scorer in them, or "
                "change the scorer of the project."
            )
        return (
            f"No labels in {below}. Extract frames and label them, or put a folder of labels in "
            "DeepLabCut's layout there."
        )


def _in_parallel(do: Callable[[str], Result], urls: list[str]) -> list[Result]:
    """Return what `do` returns for each URL; most of the time is waiting for the network."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(do, urls))


def _of_video(labels: Labels, video: str) -> Labels:
    return labels.select([n for n, frame in enumerate(labels.frames) if frame.video == video])
