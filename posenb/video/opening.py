"""Opening a video: index it or recall its index, look at its first frame, state the facts."""

from __future__ import annotations

import warnings
from contextlib import ExitStack

from posenb import storage
from posenb.errors import VideoError, VideoWarning
from posenb.storage import Url
from posenb.video.decoder import Decoder, Frame
from posenb.video.index import FrameIndex
from posenb.video.index_cache import cache_path, load_index, save_index
from posenb.video.info import VideoInfo
from posenb.video.picture import PictureMaker
from posenb.video.raw import RawMaker
from posenb.video.reader import VideoReader
from posenb.video.scan import scan

__all__ = ["open_video", "probe"]

# So many frames at the start may be damaged before the whole video counts as such.
_PATIENCE = 250


def open_video(url: Url, *, warn: bool = True) -> VideoReader:
    """Open a video for reading; nothing is downloaded but the ranges that are needed.

    Which packet holds which frame is found out once and kept in posenb's cache folder:
    from the tables of an MP4 or MOV alone, for other kinds by reading the file once.
    Frames are decoded for it only in rare kinds that tell too little.

    Parameters
    ----------
    url : str or PathLike
        Local path or URL of any file that FFmpeg decodes.
    warn : bool, optional
        Whether to warn if the file is cut off.

    Returns
    -------
    VideoReader
        Also a context manager.

    Raises
    ------
    StorageError
        If the file cannot be read.
    VideoError
        If it is no video, holds no pictures or is too damaged to be opened.

    Warns
    -----
    VideoWarning
        If the file is cut off; it tells how many frames are missing.

    Examples
    --------
    >>> with open_video("gs://lab/raw/m3v1.mp4") as video:  # doctest: +SKIP
    ...     first = video[0]
    ...     for index, frame in video.read(start=100, stop=200):
    ...         ...
    """
    whole = storage.resolve(url)
    with ExitStack() as resources:
        file = resources.enter_context(storage.open_read(whole))
        path = cache_path(whole)
        index = load_index(path)
        if index is None:
            index = scan(file, whole)
            save_index(path, index)
        decoder = Decoder(file, whole, index)
        resources.callback(decoder.close)
        sample = _first_decodable(decoder, whole, len(index.times))
        picture = PictureMaker(sample)
        info = _info(whole, index, decoder.codec, sample.format.name, picture)
        raw = RawMaker(sample, picture)
        reader = VideoReader(info, decoder, picture, raw, resources.pop_all())
    if warn and info.missing_frames:
        warnings.warn(
            f"{info.missing_frames} of {info.frame_count + info.missing_frames} frames of {whole} "
            f"are missing: the file is cut off. The {info.frame_count} before can be read. If a "
            "whole copy exists, use that.",
            VideoWarning,
            stacklevel=2,
        )
    return reader


def probe(url: Url) -> VideoInfo:
    """Return the facts of a video; the same as ``open_video(url).info``.

    Raises
    ------
    StorageError
        If the file cannot be read.
    VideoError
        If it is no video, holds no pictures or is too damaged to be opened.
    """
    with open_video(url) as video:
        return video.info


def _first_decodable(decoder: Decoder, url: str, count: int) -> Frame:
    for rank in range(min(count, _PATIENCE)):
        frame = decoder.frame(rank)
        if frame is not None:
            return frame
    raise VideoError(
        f"A video must hold a frame that can be decoded; none of the first {min(count, _PATIENCE)} "
        f"frames of {url} can. Copy it again from where it was recorded."
    )


def _info(
    url: str, index: FrameIndex, codec: str, pixel_format: str, picture: PictureMaker
) -> VideoInfo:
    times, keyframes = index.times.copy(), index.keyframes.copy()
    times.flags.writeable = keyframes.flags.writeable = False
    width, height = picture.size
    return VideoInfo(
        url=url,
        frame_count=len(times),
        fps=index.fps,
        width=width,
        height=height,
        rotation=picture.rotation,
        duration=float(times[-1]) + 1 / index.fps,
        times=times,
        codec=codec,
        pixel_format=pixel_format,
        keyframes=keyframes,
        missing_frames=index.missing,
    )
