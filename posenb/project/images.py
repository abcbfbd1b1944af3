"""Images of labelled frames."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from posenb import storage
from posenb.core import FrameName
from posenb.errors import LabelError
from posenb.labels.files import FOLDER
from posenb.project.value import Project

__all__ = ["IMAGE_SUFFIXES", "frames_by_video", "list_frames", "read_image"]

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})


def list_frames(project: Project, video: str) -> tuple[FrameName, ...]:
    """Name the images that lie in the folder of a video, labelled or not, sorted."""
    return tuple(
        FrameName(video, storage.name(url))
        for url in storage.list_files(storage.join(project.url, FOLDER, video))
        if PurePosixPath(storage.name(url)).suffix.lower() in IMAGE_SUFFIXES
    )


def frames_by_video(project: Project) -> dict[str, tuple[FrameName, ...]]:
    """Name the images of all videos that have any, labelled or not.

    Returns
    -------
    dict of str to tuple of FrameName
        Videos of the manifest first and in its order; frames in the order of the numbers in
        their names.
    """
    if project.table is not None:
        below = [""] if list_frames(project, "") else []
        folders = below + _folders(project)
    else:
        own = set(_folders(project))
        folders = [video for video in project.videos if video in own]
        folders += sorted(own - set(folders))
    frames = {video: _in_order(list_frames(project, video)) for video in folders}
    return {video: found for video, found in frames.items() if found}


def _folders(project: Project) -> list[str]:
    folders = storage.list_folders(storage.join(project.url, FOLDER))
    names = [storage.name(folder) for folder in folders]
    # DeepLabCut and check_labels draw labels over frames into folders of this name.
    return [
        name
        for name in names
        if not (name.endswith("_labeled") and name.removesuffix("_labeled") in names)
    ]


def _in_order(frames: Sequence[FrameName]) -> tuple[FrameName, ...]:
    """Return frames sorted by the numbers in their names."""

    def key(frame: FrameName) -> list[tuple[int, str]]:
        parts = re.split(r"(\d+)", frame.image)
        return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]

    return tuple(sorted(frames, key=key))


def read_image(project: Project, frame: FrameName) -> np.ndarray:
    """Read the image of a labelled frame.

    Remote images are kept in the local cache, so that a second reading needs no network
    but to ask whether they changed.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        RGB, as the pixels lie in the file; of 16 bits the upper eight.

    Raises
    ------
    StorageError
        If there is no such file (``errno`` ENOENT) or it cannot be fetched.
    LabelError
        If the file is no readable image.
    """
    from PIL import Image

    url = project.image_url(frame)
    path = Path(url) if storage.is_local(url) else storage.cached_copy(url)
    data = storage.read_bytes(path)
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.mode.startswith("I"):  # Pillow would clip at 255 what goes to 65535
                grey = (np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)
                return np.repeat(grey[..., None], 3, axis=2)
            return np.array(image.convert("RGB"))
    # Pillow reports damage by any of these.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise LabelError(
            f"A labelled frame is a readable image; {url} is not ({error}). Extract the frame "
            "again, or delete its labels."
        ) from error
