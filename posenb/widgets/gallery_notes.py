"""What a person found right in the gallery, as notes: good for as long as the labels stay so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

import numpy as np

from posenb.core import FrameName, Labels, Visibility
from posenb.widgets.gallery_state import Cause

__all__ = ["read_notes", "write_notes"]


def write_notes(causes: Iterable[Cause], labels: Labels) -> dict[str, str]:
    """Return notes of what was found right: what it is about, and a digest of its labels.

    Parameters
    ----------
    causes : iterable of Cause
        About frames of `labels`; about other frames there is nothing to note.
    labels : Labels
    """
    index = {frame: n for n, frame in enumerate(labels.frames)}
    return {
        json.dumps(cause): _digest(labels, index[cause.frame])
        for cause in causes
        if cause.frame in index
    }


def read_notes(notes: Mapping[str, str], labels: Labels) -> frozenset[Cause]:
    """Return what was found right and still holds.

    Parameters
    ----------
    notes : mapping of str to str
        As `write_notes` returned them, also of other labels; what is no such note is
        passed over.
    labels : Labels
        What is labelled now. Where a frame's labels are not those that were found right,
        its notes do not count.
    """
    index = {frame: n for n, frame in enumerate(labels.frames)}
    causes = ((_cause(about), digest) for about, digest in notes.items())
    return frozenset(
        cause
        for cause, digest in causes
        if cause and cause.frame in index and _digest(labels, index[cause.frame]) == digest
    )


def _digest(labels: Labels, n: int) -> str:
    """Return a proof of what is labelled in a frame; new keypoints and animals do not matter."""
    assert labels.visibility is not None
    told = []
    for i, k in np.argwhere(labels.visibility[n] != Visibility.UNLABELLED).tolist():
        keypoint = labels.skeleton.keypoints[k]
        individual = "" if keypoint in labels.skeleton.unique else labels.individuals[i]
        place = labels.positions[n, i, k].tolist()
        told.append(json.dumps([keypoint, individual, *place, int(labels.visibility[n, i, k])]))
    return hashlib.sha256("".join(sorted(told)).encode()).hexdigest()


def _cause(about: str) -> Cause | None:
    try:
        frame, kind, individual, keypoints, other = json.loads(about)
        cause = Cause(
            FrameName(*frame),
            kind,
            individual,
            tuple(keypoints),
            None if other is None else FrameName(*other),
        )
        hash(cause)
    except (ValueError, TypeError):
        return None
    return cause
