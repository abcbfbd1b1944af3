"""A typical posture of a model's animal, out of the labels that it learned from."""

from __future__ import annotations

import numpy as np

from posenb.core import ModelDescription
from posenb.project import Run, open_project

__all__ = ["typical_posture"]


def typical_posture(run: Run, description: ModelDescription) -> np.ndarray:
    """Return the labelled posture that is nearest to all others.

    Parameters
    ----------
    run : Run
    description : ModelDescription
        Of its model.

    Returns
    -------
    ndarray, shape (K, 2)
        x, y in pixels around the middle of the animal; NaN where nothing is labelled.
    """
    labels = open_project(run.project_url).labels()
    places = [labels.skeleton.index(name) for name in description.keypoints]
    postures = labels.positions[:, 0, places]
    counts = (~np.isnan(postures[..., 0])).sum(axis=1)
    whole = postures[counts == counts.max()]
    centred = whole - np.nanmean(whole, axis=1, keepdims=True)
    # Compared by their distances between keypoints, which turning does not change.
    apart = np.linalg.norm(centred[:, :, None] - centred[:, None], axis=-1)
    shapes = np.nan_to_num(apart.reshape(len(apart), -1))
    middle = np.median(shapes, axis=0)
    chosen: np.ndarray = centred[np.abs(shapes - middle).sum(axis=1).argmin()]
    return chosen
