"""Which packet of a video holds which frame: decided once, by demuxing."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from posenb.errors import VideoError

__all__ = ["NO_TIME", "FrameIndex", "Packets", "StreamFacts", "make_index"]

NO_TIME = int(np.iinfo(np.int64).min)
"""Stands for a time stamp that a packet lacks."""


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """The packets of a video in the order of the file, and the frames in that of display.

    Frame i is the i-th frame by presentation time among those a player would show:
    packets that an edit list hides, empty ones and those beyond the end of a
    truncated file make no frame.

    Attributes
    ----------
    positions : ndarray of int64, shape (P,)
        Byte at which each packet starts, -1 where unknown.
    timestamps : ndarray of int64, shape (P,)
        Presentation (or, where the file has none, decoding) time of each packet in units
        of the stream's time base; `NO_TIME` where unknown.
    ranks : ndarray of int64, shape (P,)
        Index of the frame that each packet holds, -1 for none.
    entries : ndarray of int64, shape (E, 2)
        Where decoding can start: packet, and the first frame that comes out right.
    keyframes : ndarray of int64
        Frames that decode by themselves, ascending.
    times : ndarray of float64, shape (N,)
        Seconds from the first frame.
    fps : float
        Average frames per second.
    missing : int
        Frames that the file promises after the last readable one.
    """

    positions: np.ndarray
    timestamps: np.ndarray
    ranks: np.ndarray
    entries: np.ndarray
    keyframes: np.ndarray
    times: np.ndarray
    fps: float
    missing: int

    @property
    def open_groups(self) -> bool:
        """Whether frames precede a keyframe in time but follow it in the file."""
        entries = self.entries[
            np.searchsorted(self.entries[:, 0], np.arange(len(self.ranks)), "right") - 1
        ]
        return bool(((self.ranks >= 0) & (self.ranks < entries[:, 1])).any())

    def is_sound(self) -> bool:
        """Tell whether the columns fit each other, as they do unless a stored copy is damaged."""
        packets, frames = self.positions.shape, self.times.shape
        if self.timestamps.shape != packets or self.ranks.shape != packets or not frames[0]:
            return False
        shown = np.sort(self.ranks[self.ranks >= 0])
        return (
            np.array_equal(shown, np.arange(frames[0]))
            and self.entries.shape[1:] == (2,)
            and self.entries[0].tolist() == [0, 0]
        )


@dataclass(frozen=True, eq=False)
class Packets:
    """What demuxing tells: columns with a row for each packet that holds data.

    Attributes
    ----------
    pts, dts : ndarray of int64
        Presentation and decoding time in units of the time base, `NO_TIME` for none.
    positions, sizes : ndarray of int64
        Bytes; the position is -1 where unknown.
    key, hidden, whole : ndarray of bool
        Decodes by itself; is not shown (edit list); is all there.
    """

    pts: np.ndarray
    dts: np.ndarray
    positions: np.ndarray
    sizes: np.ndarray
    key: np.ndarray
    hidden: np.ndarray
    whole: np.ndarray

    def __len__(self) -> int:
        """Return the number of packets."""
        return len(self.pts)

    def first(self, count: int) -> Packets:
        """Return the first `count` packets."""
        return Packets(*(getattr(self, field.name)[:count] for field in fields(self)))

    @property
    def timestamps(self) -> np.ndarray:
        """Presentation times, or decoding times if some packet has no presentation time."""
        return self.dts if (self.pts == NO_TIME).any() else self.pts

    @property
    def ordered_by_time(self) -> bool:
        """Whether the presentation times tell the order of all frames."""
        shown = self.pts[~self.hidden]
        return len(np.unique(shown)) == len(shown) and not (self.pts == NO_TIME).any()


@dataclass(frozen=True)
class StreamFacts:
    """What the headers say of a video stream.

    Attributes
    ----------
    container, codec : str
        FFmpeg's names.
    time_base : float
        Seconds per unit of time.
    rate : float
        Average frames per second, 0 where unknown.
    frames : int
        Promised number of frames, 0 where unknown.
    end : float
        Promised end of the last frame, seconds; 0 where unknown.
    has_b_frames : bool
        Whether frames are stored out of the order of display.
    """

    container: str
    codec: str
    time_base: float
    rate: float
    frames: int
    end: float
    has_b_frames: bool


def make_index(
    packets: Packets, facts: StreamFacts, url: str, decoded: np.ndarray | None = None
) -> FrameIndex:
    """Order the frames, and end them where the first one is missing.

    Parameters
    ----------
    packets, facts
        What demuxing told.
    url : str
        What errors shall name.
    decoded : ndarray of int, optional
        Packets in the order in which a decoder gave their frames; without it the
        presentation times decide.

    Raises
    ------
    VideoError
        If no frame is there.
    """
    shown = np.flatnonzero(~packets.hidden)
    stamps = packets.timestamps
    order = shown[np.argsort(stamps[shown], kind="stable")] if decoded is None else decoded
    # Nothing after the first broken packet can be relied on: it may lean on that one.
    readable = np.logical_and.accumulate(packets.whole)[order]
    count = len(order) if readable.all() else int(np.argmin(readable))
    total = len(order)
    if count and not facts.container.startswith("mov"):
        last = int(packets.dts.max())
        count, promised = _held_against_promise(np.sort(stamps[order[:count]]), last, facts)
        total = max(total, promised)
    if not count:
        raise VideoError(
            f"A video must hold at least one whole frame; {url} holds none of {total}. Record or "
            "copy it again."
        )
    # Those of the first frames by time, which where decoding decides need not be their own.
    times, fps = _clock(np.sort(stamps[order])[:count], facts)
    order = order[:count]
    packets = packets.first(int(order.max()) + 1)
    ranks = np.full(len(packets), -1, np.int64)
    ranks[order] = np.arange(count)
    return FrameIndex(
        positions=packets.positions,
        timestamps=stamps[: len(packets)],
        ranks=ranks,
        entries=_entries(packets, ranks, stamps[order] if decoded is None else None),
        keyframes=np.sort(ranks[packets.key & (ranks >= 0)]),
        times=times,
        fps=fps,
        missing=total - count,
    )


def _held_against_promise(
    stamps: np.ndarray, last_stored: int, facts: StreamFacts
) -> tuple[int, int]:
    """Return how many frames to keep, and how many there should be, for want of tables."""
    steps = np.diff(stamps)
    if not len(steps) or (steps <= 0).any():
        return len(stamps), max(facts.frames, len(stamps))
    # Frames are stored out of order, so a file that is cut off may lack some before its last
    # ones. What is missing would be decoded after all that is there, and shown even later.
    # At a variable rate there are gaps elsewhere too, and none tells anything.
    gaps = steps > 1.5 * np.median(steps)
    at_end = bool(gaps.any()) and bool((stamps[1:][gaps] > last_stored).all())
    torn = facts.has_b_frames and last_stored != NO_TIME and at_end
    kept = int(np.argmax(gaps)) + 1 if torn else len(stamps)
    step = float(steps[: kept - 1].mean()) if kept > 1 else float(steps.mean())
    start, end = float(stamps[0]), float(stamps[-1])
    total = len(stamps)
    # The last frame may be shown for long, but hardly for longer than any other.
    if facts.end / facts.time_base - end > 2.5 * steps.max():
        end = facts.end / facts.time_base - step
        total += round((end - float(stamps[-1])) / step)
    if torn:
        total = max(total, round((end - start) / step) + 1)
    return kept, max(total, facts.frames)


def _clock(stamps: np.ndarray, facts: StreamFacts) -> tuple[np.ndarray, float]:
    """Return the seconds of each frame from the first, and the average rate."""
    count = len(stamps)
    times = (stamps - stamps[0]) * facts.time_base
    known = stamps[0] != NO_TIME and (np.diff(stamps) > 0).all()
    measured = (count - 1) / float(times[-1]) if known and count > 1 else 0.0
    # The header's rate is exact where the time stamps are rounded, but not always true.
    close = measured == 0 or abs(facts.rate / measured - 1) < 0.01
    fps = facts.rate if facts.rate > 0 and close else measured or 25.0
    return (times if known else np.arange(count) / fps), fps


def _entries(packets: Packets, ranks: np.ndarray, stamps: np.ndarray | None) -> np.ndarray:
    """Return where decoding can start, and the first frame that is right from there.

    Frames that follow a keyframe in the file but precede it in time (an open group of
    pictures) lean on the group before, so they are not right from there.
    """
    starts = np.flatnonzero(packets.key)
    if stamps is None:
        starts = starts[ranks[starts] >= 0]
        first = ranks[starts]
    else:
        first = np.searchsorted(stamps, packets.timestamps[starts])
    rising = first >= np.maximum.accumulate(np.r_[0, first[:-1]]) if len(first) else first > 0
    pairs = np.stack([starts[rising], first[rising]], axis=1)
    return np.vstack([[[0, 0]], pairs[pairs[:, 0] > 0]]).astype(np.int64)
