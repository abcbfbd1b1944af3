"""Every prediction beside its label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from posenb.core import Labels, Visibility
from posenb.errors import InvalidInputError
from posenb.evaluation.pixels import pixel_errors

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["tabulate_errors"]


def tabulate_errors(
    labels: Labels, predicted: np.ndarray, likelihoods: np.ndarray, parts: Sequence[str]
) -> pd.DataFrame:
    """Put predictions, labels and their distances into one tidy table.

    Parameters
    ----------
    labels : Labels
        N frames, I individuals, K keypoints.
    predicted : ndarray, shape (N, I, K, 2)
        x, y in pixels of the image; NaN where nothing was found.
    likelihoods : ndarray, shape (N, I, K)
        0 to 1.
    parts : sequence of str
        The part of the split that each of the N frames belongs to.

    Returns
    -------
    DataFrame
        One row for each frame, individual and keypoint. Columns ``split``, ``frame``
        (``<video>/<image>``), ``individual``, ``keypoint``, ``x``, ``y``, ``label_x``,
        ``label_y`` and ``error`` in pixels (NaN where nothing is labelled, infinite
        where nothing was found), ``likelihood``, and ``visibility`` as it was labelled
        ("visible", "occluded", "unlabelled").

    Raises
    ------
    InvalidInputError
        If shapes disagree.
    """
    import pandas as pd

    assert labels.visibility is not None
    errors = pixel_errors(predicted, labels.positions)
    if likelihoods.shape != errors.shape or len(parts) != len(labels):
        raise InvalidInputError(
            f"Likelihoods have the shape {errors.shape} and there is one part for each of the "
            f"{len(labels)} frames; got {likelihoods.shape} and {len(parts)} parts."
        )
    count, individuals, keypoints = errors.shape
    each = individuals * keypoints
    names = ["/".join(filter(None, frame)) for frame in labels.frames]
    said = np.array([value.name.lower() for value in Visibility], dtype=object)
    return pd.DataFrame(
        {
            "split": np.repeat(np.array(parts, dtype=object), each),
            "frame": np.repeat(np.array(names, dtype=object), each),
            "individual": np.tile(np.repeat(labels.individuals, keypoints), count),
            "keypoint": np.tile(labels.skeleton.keypoints, count * individuals),
            "x": predicted[..., 0].ravel(),
            "y": predicted[..., 1].ravel(),
            "label_x": labels.positions[..., 0].ravel(),
            "label_y": labels.positions[..., 1].ravel(),
            "error": errors.ravel(),
            "likelihood": likelihoods.ravel(),
            "visibility": said[labels.visibility.ravel()],
        }
    )
