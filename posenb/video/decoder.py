"""Getting at any frame: seek to where decoding can start, decode up to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import chain, count
from typing import Any, BinaryIO

import av
import numpy as np

from posenb.video.container import open_container, picture_stream
from posenb.video.index import FrameIndex
from posenb.video.numbered import data_packets, decode_numbered

__all__ = ["Decoder", "Frame"]

Frame = Any  # av.VideoFrame

# Going on costs less than seeking for a jump this short, even past a keyframe.
_SHORT_JUMP = 8
# How many packets further back than the index says decoding may start, if a frame does
# not come: some files flag more keyframes than they have.
_DETOUR = 600


class _DamagedError(Exception):
    """The decoder refused a packet, or a frame did not come."""


class Decoder:
    """The frames of one open video, by index.

    Frames are decoded by several threads until the decoder meets damage. From then on
    one thread decodes, because only then is nothing that can be saved lost, and the
    hidden parts of damaged pictures are filled the same way each time.

    Parameters
    ----------
    file : seekable binary file
        Must be used by nothing else meanwhile.
    url : str
        What errors shall name.
    index : FrameIndex
        The index of that file.
    quick : bool, optional
        Leave out the frames that no other one leans on, and let the decoder mend what is
        damaged; only `near` makes sense then.

    Attributes
    ----------
    index : FrameIndex
    lost : set of int
        Frames met so far that are in the index but cannot be decoded.
    """

    def __init__(self, file: BinaryIO, url: str, index: FrameIndex, *, quick: bool = False) -> None:
        self.lost: set[int] = set()
        self.index = index
        self._file = file
        self._url = url
        self._quick = quick
        self._careful = False
        # Where a group of pictures leans on the one before, seeking alone makes the decoder
        # complain, so there its complaints tell nothing.
        self._strictness = {} if index.open_groups or quick else {"err_detect": "explode"}
        self._lock = threading.Lock()
        positions = index.positions
        distinct = bool((positions >= 0).all()) and len(np.unique(positions)) == len(positions)
        self._numbers: dict[int | None, int] = (
            {int(at): i for i, at in enumerate(positions)} if distinct else {}
        )
        self._packets = np.argsort(index.ranks, kind="stable")[-len(index.times) :]
        self._open()
        self._at, self._started_at = 0, 0
        self._held: Frame | None = None

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec."""
        return str(self._stream.codec_context.codec.canonical_name)

    def close(self) -> None:
        """Release the decoder; the file stays open."""
        with self._lock:
            self._container.close()

    def frame(self, rank: int) -> Frame | None:
        """Return frame `rank`, or None if it cannot be decoded.

        Going on from the last frame decodes on; anything else seeks. May be called
        from several threads, one at a time gets its turn.
        """
        with self._lock:
            if rank in self.lost:
                return None
            try:
                return self._find(rank)
            except _DamagedError:
                self._careful = True
                self._reopen()
                self._start(self._entry_of(rank))
                return self._find(rank)
            except BaseException:
                # An interrupt or a failing network ended the decoding; begin anew next time.
                self._at, self._held = len(self.index.times), None
                raise

    def near(self, rank: int) -> tuple[int, Frame] | None:
        """Return the first frame from `rank` on that comes, and which it is; None at the end."""
        with self._lock:
            entry = self._entry_of(rank)
            if not self._is_ahead(rank, entry):
                self._start(entry)
            self._advance(rank)
            return None if self._held is None else (self._at, self._held)

    def _reopen(self) -> None:
        self._container.close()
        self._open()

    def _open(self) -> None:
        self._container: Any = open_container(self._file, self._url)
        self._stream: Any = picture_stream(self._container, self._url)
        if self._careful:
            self._stream.codec_context.thread_count = 1
        else:
            self._stream.thread_type = "AUTO"
            self._stream.codec_context.options = self._strictness
        if self._quick:
            self._stream.codec_context.skip_frame = "NONREF"
        self._feed(data_packets(self._container, self._stream), count())
        self._untouched = True

    def _find(self, rank: int) -> Frame | None:
        entry = self._entry_of(rank)
        if not self._is_ahead(rank, entry):
            self._start(entry)
        from_here = bool(self._numbers) and self._started_at >= entry
        attempts = self._earlier(entry) if from_here else iter(())
        while not self._advance(rank):
            earlier = next(attempts, None)
            if earlier is None:
                if not self._careful:
                    raise _DamagedError
                self.lost.update(range(rank, self._at))
                return None
            self._start(earlier)
        return self._held

    def _is_ahead(self, rank: int, entry: int) -> bool:
        if rank < self._at:
            return False
        if not self._numbers:
            return True
        if self._careful:
            # What the decoder saw before must not change how it mends a damaged picture.
            return entry == self._started_at
        return rank - self._at <= _SHORT_JUMP or int(self.index.entries[entry, 1]) <= self._at

    def _advance(self, rank: int) -> bool:
        """Decode up to frame `rank` or the first one after it; tell whether `rank` came."""
        while self._at < rank or self._held is None:
            rank_of_next, frame = next(self._frames, (len(self.index.times), None))
            if frame is not None and rank_of_next < self._at + (self._held is not None):
                continue  # not shown, or leans on a group of pictures that was not decoded
            self._at, self._held = rank_of_next, frame
            if frame is None:
                break
        return self._at == rank and self._held is not None

    def _entry_of(self, rank: int) -> int:
        """Return the row of the last entry from which frame `rank` comes out right."""
        entries = self.index.entries
        row = int(np.searchsorted(entries[:, 1], rank, side="right")) - 1
        packet = self._packets[rank]
        while entries[row, 0] > packet:
            row -= 1
        return row

    def _earlier(self, entry: int) -> Iterator[int]:
        packets = self.index.entries[:, 0]
        back = 1
        while entry:
            row = max(entry - back, 0)
            if back > 1 and packets[entry] - packets[row] > _DETOUR:
                return
            yield row
            if row == 0:
                return
            back *= 2

    def _start(self, entry: int) -> None:
        """Begin to decode at an entry, or before it where the container cannot seek there."""
        packet, first = (int(value) for value in self.index.entries[entry])
        for row in (entry, *self._earlier(entry)) if entry and self._numbers else ():
            landed = self._seek(int(self.index.timestamps[self.index.entries[row, 0]]))
            if landed is not None and landed <= packet:
                break
        else:
            self._reopen()
        self._at, self._started_at, self._held = first, entry, None

    def _seek(self, timestamp: int) -> int | None:
        """Return the number of the packet that the container went to."""
        if self._untouched:
            # The first packet of x264's files names its version, by which FFmpeg knows that
            # some (4:4:4 before version 151) are to be decoded in another way.
            next(self._frames, None)
            self._untouched = False
        try:
            self._container.seek(timestamp, stream=self._stream)
        except av.FFmpegError:
            return None
        packets = data_packets(self._container, self._stream)
        head = next(packets, None)
        number = None if head is None else self._numbers.get(head.pos)
        if number is not None:
            self._feed(chain([head], packets), count(number))
        return number

    def _feed(self, packets: Iterator[Any], numbers: Iterator[int]) -> None:
        ranks = self.index.ranks

        def number(packet: Any) -> int | None:
            following = next(numbers)
            found = self._numbers.get(packet.pos, len(ranks)) if self._numbers else following
            return found if found < len(ranks) else None

        def refuse() -> None:
            if self._strictness and not self._careful:
                raise _DamagedError

        decoded = decode_numbered(packets, self._stream, number, refuse)
        self._frames: Iterator[tuple[int, Frame]] = (
            (int(ranks[number]), frame) for number, frame in decoded
        )
