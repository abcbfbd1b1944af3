"""Small grey pictures of many frames, as fast as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack

import numpy as np
from av.video.reformatter import VideoReformatter

from posenb import storage
from posenb.errors import InvalidInputError
from posenb.video.decoder import Decoder
from posenb.video.reader import VideoReader

__all__ = ["read_thumbnails"]

Crop = tuple[int, int, int, int]


def read_thumbnails(
    video: VideoReader, ranks: Iterable[int], *, width: int = 32, crop: Crop | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Iterate over small grey pictures of frames near those wanted.

    Nothing is decoded that need not be: neither frames that no other one leans on nor
    groups of pictures in which nothing is wanted. So in place of a wanted frame the next
    one that comes is given; none comes twice. Damaged pictures are shown as the decoder
    mends them.

    Parameters
    ----------
    video : VideoReader
        An open video; its own position does not move.
    ranks : iterable of int
        Indices of the wanted frames, ascending.
    width : int, optional
        Pixels across; never more than the picture has.
    crop : (int, int, int, int), optional
        x1, x2, y1, y2 in pixels of the displayed video, the ends excluded: the part to
        show, to the nearest pixel of the small picture.

    Yields
    ------
    index : int
        Which frame it is.
    thumbnail : ndarray of uint8, shape (h, w)
        The mean brightness of the pixels that each of its pixels stands for, upright.

    Raises
    ------
    InvalidInputError
        If the width is not positive.
    """
    if width < 1:
        raise InvalidInputError(f"width must be at least 1; got {width}.")
    x1, x2, y1, y2 = crop or (0, video.width, 0, video.height)
    scale = min(1.0, width / (x2 - x1))
    across, down = (max(1, round(side * scale)) for side in (video.width, video.height))
    part = _part(y1, y2, scale, down), _part(x1, x2, scale, across)
    stored = (across, down) if video.rotation % 180 == 0 else (down, across)
    reformatter = VideoReformatter()
    with ExitStack() as resources:
        file = resources.enter_context(storage.open_read(video.url))
        decoder = Decoder(file, video.url, video._decoder.index, quick=True)
        resources.callback(decoder.close)
        last = -1
        for rank in ranks:
            near = decoder.near(rank) if rank > last else None
            if near is None:
                continue
            last, frame = near
            small = reformatter.reformat(frame, *stored, format="gray", interpolation="AREA")
            yield last, np.ascontiguousarray(_upright(video, small.to_ndarray())[part])


def _part(start: int, stop: int, scale: float, size: int) -> slice:
    """Return which of `size` small pixels show those from `start` to `stop`."""
    first = min(round(start * scale), size - 1)
    return slice(first, max(first + 1, round(stop * scale)))


def _upright(video: VideoReader, stored: np.ndarray) -> np.ndarray:
    turned = stored[:, ::-1] if video._picture.mirrored else stored
    return np.rot90(turned, -video.rotation // 90)
