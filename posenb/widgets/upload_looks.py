"""What is shown of a video: its first frame and its facts."""

from __future__ import annotations

import base64
import io
import warnings
from typing import TYPE_CHECKING, Any

from posenb import storage
from posenb.errors import VideoWarning
from posenb.video import open_video
from posenb.widgets.quantities import say_bytes, say_seconds
from posenb.widgets.upload_state import Phase, seconds_left, speed

if TYPE_CHECKING:
    from posenb.widgets.upload_arrival import Arrival

__all__ = ["look_at", "show_row"]

_WIDTH, _HEIGHT = 224, 144  # twice what it is shown at


def look_at(url: str) -> tuple[str, str]:
    """Open a video and show what is in it.

    Returns
    -------
    facts : str
        Length, number of frames, rate, size, and what is missing.
    picture : str
        The first frame that can be decoded, as a ``data:`` URL.

    Raises
    ------
    StorageError
        If the file cannot be read.
    VideoError
        If it is no readable video.
    """
    from PIL import Image

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", VideoWarning)
        with open_video(url) as video:
            info = video.info
            _, frame = next(video.read())
    image = Image.fromarray(frame)
    image.thumbnail((_WIDTH, _HEIGHT))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    facts = [
        say_seconds(info.duration),
        f"{info.frame_count:,} frames".replace(",", "\N{NARROW NO-BREAK SPACE}"),
        f"{info.fps:.4g} frames/s",
        f"{info.width} \N{MULTIPLICATION SIGN} {info.height}",
        say_bytes(storage.size(url)),
    ]
    if info.missing_frames:
        facts.append(f"cut off: {info.missing_frames} frames are missing")
    elif any(issubclass(each.category, VideoWarning) for each in said):
        facts.append("damaged in places")
    picture = base64.b64encode(data.getvalue()).decode()
    return " · ".join(facts), f"data:image/jpeg;base64,{picture}"


def show_row(row: Arrival) -> dict[str, Any]:
    """Return what the page shows of a file."""
    transfer = row.transfer
    pace = ""
    if transfer.phase is Phase.SENDING and (left := seconds_left(transfer)) is not None:
        pace = f"{say_bytes(speed(transfer))}/s, {say_seconds(left)} left"
    return {
        "key": transfer.key,
        "name": transfer.target,
        "original": transfer.name if transfer.name != transfer.target else "",
        "phase": transfer.phase.value,
        "message": transfer.message,
        "size": transfer.size,
        "position": transfer.position,
        "amount": f"{say_bytes(transfer.position)} of {say_bytes(transfer.size)}",
        "pace": pace,
        "facts": row.facts,
        "offer": row.offer,
        "direct": row.direct,
    }
