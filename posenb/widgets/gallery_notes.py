"""What a person found right in the gallery, as notes: good for as long as the labels stay so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from posenb.core import FrameName, Labels
from posenb.labels import labels_digest
from posenb.widgets.gallery_state import Cause

__all__ = ["read_notes", "write_notes"]


def write_notes(settled: Iterable[Cause], labels: Labels) -> dict[str, str]:
    """Return notes of what was found right: what it is about, and a digest of its labels.

    Parameters
    ----------
    settled : iterable of tuple
        As in `GalleryState`; those about frames that are not in `labels` are left out.
    labels : Labels
    """
    index = {frame: n for n, frame in enumerate(labels.frames)}
    notes = {}
    for frame, kind, individual, keypoints in settled:
        if frame in index:
            about = json.dumps([*frame, kind, individual, *keypoints], ensure_ascii=False)
            notes[about] = _digest(labels, index[frame])
    return notes


def read_notes(notes: Mapping[str, str], labels: Labels) -> tuple[frozenset[Cause], dict[str, str]]:
    """Return what was found right and still holds, and the notes about other frames.

    Parameters
    ----------
    notes : mapping of str to str
        As `write_notes` returned them, also from other labels.
    labels : Labels
        What is labelled now. Where a frame's labels are not those that were found right,
        its notes do not count any more.
    """
    index = {frame: n for n, frame in enumerate(labels.frames)}
    settled, others = set(), {}
    for about, digest in notes.items():
        cause = _cause(about)
        if cause is None:
            continue
        if cause[0] not in index:
            others[about] = digest
        elif _digest(labels, index[cause[0]]) == digest:
            settled.add(cause)
    return frozenset(settled), others


def _digest(labels: Labels, n: int) -> str:
    return labels_digest(labels.select([n]))


def _cause(about: str) -> Cause | None:
    try:
        video, image, kind, individual, *keypoints = json.loads(about)
    except (ValueError, TypeError):
        return None
    if not all(isinstance(each, str) for each in (video, image, kind, individual, *keypoints)):
        return None
    return FrameName(video, image), kind, individual, tuple(keypoints)
