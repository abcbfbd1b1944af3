"""How far a file from a browser has come: pieces, retries and pauses, without any I/O.

The kernel asks for pieces and the browser sends them, so that all thought is here: a few
pieces are always asked for ahead (`ask`), each is checked when it comes (`take`), and what
got lost with a connection is asked for again (`ask_again`). Each piece carries its SHA-256.
All pieces up to a position are summed up by a chain, ``SHA-256(chain before + digest)``,
by which both sides tell whether they mean the same bytes when they go on after a break.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = [
    "PIECE",
    "START",
    "Phase",
    "Span",
    "Transfer",
    "ask",
    "ask_again",
    "begin",
    "chained",
    "end",
    "move_to",
    "pause",
    "sample_spans",
    "seconds_left",
    "speed",
    "take",
]

PIECE = 2**20
"""Bytes in one message; a Jupyter server refuses messages above 10 MiB."""

START = ""
"""Chain of no pieces."""

Span = tuple[int, int]

_AHEAD = 8  # pieces on their way at once: enough for a round trip of 0.1 s at 80 MB/s
_SILENCE = 5.0  # seconds after which what was asked for counts as lost
_MISFITS = 5  # pieces in a row that arrive damaged before the transfer gives up
_MEMORY = 6.0  # seconds over which the speed is taken
_SAMPLES = 16


class Phase(StrEnum):
    """Where a file is on its way; the browser shows a row for each."""

    WAITING = "waiting"  # others come first
    CHECKING = "checking"  # the browser reads again what was sent before a break
    COMPARING = "comparing"  # with the video that has the same name
    SENDING = "sending"
    PAUSED = "paused"
    FINISHING = "finishing"
    CLASH = "clash"  # wants another name
    MISSING = "missing"  # wants to be chosen again
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One file on its way.

    Parameters
    ----------
    key : str
        The browser's word for the file.
    name : str
        As the browser calls it; never a path of anything here.
    target : str
        File name in the project.
    size : int
        Bytes.
    modified : int
        Milliseconds since 1970, as the browser tells it.
    phase : Phase
    message : str
        What there is to say beyond the phase.
    position : int
        Bytes that have arrived without a gap and fit their digests.
    asked : int
        Byte up to which pieces have been asked for.
    chain : str
        Of all pieces up to `position`, in hexadecimal.
    heard : float
        Seconds on a steady clock when a piece came last.
    misfits : int
        Damaged pieces in a row.
    marks : tuple of (float, int)
        Times and positions of the last seconds.
    """

    key: str
    name: str
    target: str
    size: int
    modified: int = 0
    phase: Phase = Phase.WAITING
    message: str = ""
    position: int = 0
    asked: int = 0
    chain: str = START
    heard: float = 0.0
    misfits: int = 0
    marks: tuple[tuple[float, int], ...] = ()

    @property
    def whole(self) -> bool:
        """Whether all bytes have arrived."""
        return self.position == self.size


def chained(chain: str, digest: str) -> str:
    """Return the chain after one more piece."""
    return hashlib.sha256((chain + digest).encode()).hexdigest()


def begin(transfer: Transfer, now: float) -> Transfer:
    """Let pieces come, from `position` on."""
    return replace(
        transfer,
        phase=Phase.SENDING,
        message="",
        asked=transfer.position,
        heard=now,
        misfits=0,
        marks=((now, transfer.position),),
    )


def ask(transfer: Transfer) -> tuple[Transfer, tuple[Span, ...]]:
    """Return the spans of bytes to ask for now, first and last excluded."""
    if transfer.phase is not Phase.SENDING:
        return transfer, ()
    horizon = min(transfer.position + _AHEAD * PIECE, transfer.size)
    starts = range(transfer.asked, horizon, PIECE)
    spans = tuple((start, min(start + PIECE, transfer.size)) for start in starts)
    return replace(transfer, asked=max(transfer.asked, horizon)), spans


def ask_again(transfer: Transfer, now: float) -> Transfer:
    """Forget what was asked for if nothing has come for some seconds."""
    if transfer.phase is not Phase.SENDING or now - transfer.heard < _SILENCE:
        return transfer
    return replace(transfer, asked=transfer.position, heard=now)


def take(
    transfer: Transfer, start: int, digest: str, data: bytes, now: float
) -> tuple[Transfer, bool]:
    """Check a piece.

    Parameters
    ----------
    transfer : Transfer
    start : int
        First byte.
    digest : str
        SHA-256 in hexadecimal, as the browser made it.
    data : bytes
    now : float

    Returns
    -------
    Transfer
        One step on if the piece is the next one and fits its digest. A piece that has come
        before or too early changes nothing; of a damaged one on, all are asked for again.
    bool
        Whether the piece counts.
    """
    due = min(PIECE, transfer.size - transfer.position)
    if transfer.phase is not Phase.SENDING or start != transfer.position:
        return transfer, False
    if len(data) != due or hashlib.sha256(data).hexdigest() != digest:
        misfits = transfer.misfits + 1
        if misfits == _MISFITS:
            return end(
                transfer,
                Phase.FAILED,
                f"A piece arrived damaged {misfits} times in a row. Check the connection, then "
                "try again; what has arrived stays.",
            ), False
        return replace(transfer, asked=transfer.position, heard=now, misfits=misfits), False
    position = transfer.position + len(data)
    marks = (*(mark for mark in transfer.marks if now - mark[0] <= _MEMORY), (now, position))
    return replace(
        transfer,
        position=position,
        chain=chained(transfer.chain, digest),
        heard=now,
        misfits=0,
        marks=marks,
    ), True


def move_to(transfer: Transfer, position: int, chain: str, now: float) -> Transfer:
    """Take the word of whoever else received the bytes up to `position`.

    Parameters
    ----------
    transfer : Transfer
    position : int
        At the end of a piece.
    chain : str
        Up to there.
    now : float
    """
    marks = (*(mark for mark in transfer.marks if now - mark[0] <= _MEMORY), (now, position))
    return replace(transfer, position=position, asked=position, chain=chain, heard=now, marks=marks)


def pause(transfer: Transfer) -> Transfer:
    """Ask for nothing more; pieces on their way are ignored and come again later."""
    return replace(transfer, phase=Phase.PAUSED, message="", marks=())


def end(transfer: Transfer, phase: Phase, message: str = "") -> Transfer:
    """Stop in `phase` with something to say."""
    return replace(transfer, phase=phase, message=message, marks=())


def speed(transfer: Transfer) -> float:
    """Return bytes per second over the last seconds; 0 while there is nothing to tell."""
    if len(transfer.marks) < 2:
        return 0.0
    (first, start), (last, stop) = transfer.marks[0], transfer.marks[-1]
    return (stop - start) / (last - first) if last - first > 0.2 else 0.0


def seconds_left(transfer: Transfer) -> float | None:
    """Return how long the rest takes at that speed."""
    pace = speed(transfer)
    return (transfer.size - transfer.position) / pace if pace > 0 else None


def sample_spans(size: int) -> tuple[Span, ...]:
    """Return spans that tell two videos of one size apart: first, last and some between."""
    count = min(_SAMPLES, -(-size // PIECE))
    starts = {round(n * (size - PIECE) / max(1, count - 1)) for n in range(count)}
    return tuple((max(0, start), min(max(0, start) + PIECE, size)) for start in sorted(starts))
