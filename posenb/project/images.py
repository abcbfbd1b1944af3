"""Images of labelled frames."""

from __future__ import annotations

import io
from pathlib import Path, PurePosixPath

import numpy as np

from posenb import storage
from posenb.core import FrameName
from posenb.errors import LabelError
from posenb.labels.files import FOLDER
from posenb.project.value import Project

__all__ = ["IMAGE_SUFFIXES", "list_frames", "read_image"]

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})


def list_frames(project: Project, video: str) -> tuple[FrameName, ...]:
    """Name the images that lie in the folder of a video, labelled or not, sorted."""
    return tuple(
        FrameName(video, storage.name(url))
        for url in storage.list_files(storage.join(project.url, FOLDER, video))
        if PurePosixPath(storage.name(url)).suffix.lower() in IMAGE_SUFFIXES
    )


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
