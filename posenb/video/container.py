"""Opening a file with PyAV: which kinds are taken, and what is said of those that are not."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from posenb.errors import VideoError

__all__ = ["open_container", "picture_stream"]

# FFmpeg also takes playlists and scripts that make it open further files and addresses; a
# file that someone sent must not do that, so only containers of pictures are let in.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,mxf,nut,ivf,"
    "gif,dv,h264,hevc,m4v,mjpeg,yuv4mpegpipe,wtv,rm,swf"
)
# PyAV before 19 refuses a file whose title, say, is not in UTF-8 unless told not to care; from
# 19 on it does not ask.
_LENIENT: dict[str, str] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)


def open_container(file: BinaryIO, url: str, **options: str) -> InputContainer:
    """Open `file` for demuxing and decoding.

    Parameters
    ----------
    file : seekable binary file
        Stays open when the container is closed.
    url : str
        What errors shall name.
    **options : str
        Options of FFmpeg's demuxers.

    Raises
    ------
    VideoError
        If it is no video that FFmpeg knows, or too damaged to open.
    """
    settings = {"format_whitelist": _FORMATS, **options}
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size == 0:
        raise VideoError(f"A video file must hold data; {url} is empty. Copy or upload it again.")
    try:
        # As container_options, for with options PyAV before 18 frees memory that is not its own
        # when a file (FLV) shows its streams only while it is read.
        container: InputContainer = av.open(file, mode="r", container_options=settings, **_LENIENT)
    except av.FFmpegError as error:
        file.seek(0)
        raise VideoError(_why_unreadable(file.read(16), url, error)) from error
    return container


def _why_unreadable(head: bytes, url: str, error: Exception) -> str:
    if head[4:8] in (b"ftyp", b"mdat", b"wide"):
        return (
            f"An MP4 or MOV file must hold the table of its frames; {url} does not ({error}). "
            "The recording or the copy was cut off before its end: copy it again, or repair it "
            "with a tool such as untrunc and a sound video of the same camera."
        )
    return (
        f"A video must be in a format that FFmpeg reads (MP4, MOV, MKV, WebM, AVI, ...); {url} "
        f"is not or is too damaged ({error}). Check that it plays, or convert it to MP4."
    )


def picture_stream(container: InputContainer, url: str) -> VideoStream:
    """Return the first stream of moving pictures; a cover picture is none.

    Raises
    ------
    VideoError
        If there is no such stream, or no decoder for it.
    """
    for stream in container.streams.video:
        if Disposition.attached_pic in stream.disposition:
            continue
        codec: Any = stream.codec_context  # None where FFmpeg has no decoder
        if codec is None:
            raise VideoError(
                f"A video must be in a codec that FFmpeg decodes; {url} is in one that this "
                "build does not know. Convert it to H.264 in an MP4."
            )
        return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "no stream at all"
    raise VideoError(
        f"A video must hold pictures; {url} holds {kinds}. Give a file with a video stream."
    )
