"""The images of frames as a browser takes them, fetched ahead of the eye."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from posenb import storage
from posenb.core import FrameName
from posenb.project import Project, read_image

__all__ = ["Picture", "Pictures", "encode_picture"]

_KEPT = 12
_WORKERS = 2
_ORIENTATION = 0x0112
_PLAIN_MODES = ("1", "L", "P", "RGB", "RGBA")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file that any browser shows exactly.

    Parameters
    ----------
    data : bytes
        Content of the file.
    format : {"png", "jpeg"}
    size : (int, int)
        Width and height in pixels.
    """

    data: bytes
    format: Literal["png", "jpeg"]
    size: tuple[int, int]


def encode_picture(project: Project, frame: FrameName) -> Picture:
    """Return the image of a frame for a browser.

    A PNG or JPEG that a browser shows as `read_image` does is passed on as it is,
    after it was decoded once: a browser waits for a damaged one for ever. Everything
    else becomes a PNG.

    Raises
    ------
    StorageError
        If there is no such file.
    LabelError
        If the file is no readable image.
    """
    from PIL import Image

    url = project.image_url(frame)
    data = storage.read_bytes(Path(url) if storage.is_local(url) else storage.cached_copy(url))
    pixels = read_image(project, frame)
    size = (pixels.shape[1], pixels.shape[0])
    with Image.open(io.BytesIO(data)) as image:
        turned = image.getexif().get(_ORIENTATION, 1) != 1
        if image.mode in _PLAIN_MODES and not turned:
            if image.format == "PNG" and not getattr(image, "is_animated", False):
                return Picture(data, "png", size)
            if image.format == "JPEG":
                return Picture(data, "jpeg", size)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return Picture(buffer.getvalue(), "png", size)


class Pictures:
    """The pictures of a queue of frames, the last ones kept, the next ones on their way.

    Parameters
    ----------
    project : Project
    frames : sequence of FrameName
    """

    def __init__(self, project: Project, frames: Sequence[FrameName]) -> None:
        self._project = project
        self._frames = tuple(frames)
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="posenb-pictures")
        self._wanted: OrderedDict[int, Future[Picture]] = OrderedDict()

    def get(self, n: int) -> Picture:
        """Return the picture of frame `n`, waiting for it where it must be.

        Raises
        ------
        PosenbError
            If it cannot be read; asked again, it is tried again.
        """
        ahead = n in self._wanted
        wanted = self._want(n)
        if ahead and wanted.exception() is not None:
            wanted = self._want(n)  # its file may have been repaired since
        return wanted.result()

    def prefetch(self, indices: Sequence[int]) -> None:
        """Begin to fetch pictures that will be needed soon, the most urgent one first."""
        for n in indices:
            if 0 <= n < len(self._frames):
                self._want(n)

    def ready(self, n: int) -> Picture | None:
        """Return the picture of frame `n` if it is here already."""
        wanted = self._wanted.get(n)
        if wanted is None or not wanted.done() or wanted.exception() is not None:
            return None
        return wanted.result()

    def _want(self, n: int) -> Future[Picture]:
        known = self._wanted.get(n)
        if known is None or (known.done() and known.exception() is not None):
            self._wanted[n] = self._pool.submit(encode_picture, self._project, self._frames[n])
        self._wanted.move_to_end(n)
        while len(self._wanted) > _KEPT:
            _, dropped = self._wanted.popitem(last=False)
            dropped.cancel()
        return self._wanted[n]
