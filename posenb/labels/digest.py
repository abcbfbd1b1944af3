"""A proof of what was labelled."""

from __future__ import annotations

import hashlib

import numpy as np

from posenb.core import Labels

__all__ = ["labels_digest"]


def labels_digest(labels: Labels) -> str:
    """Return the SHA-256 of keypoints, frames and positions, whatever the order of the frames."""
    order = sorted(range(len(labels)), key=lambda i: labels.frames[i])
    digest = hashlib.sha256(repr(labels.skeleton.keypoints).encode())
    digest.update(repr([labels.frames[i] for i in order]).encode())
    digest.update(np.ascontiguousarray(labels.positions[order]).tobytes())
    return digest.hexdigest()
