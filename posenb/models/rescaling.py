"""The same network for frames at another size."""

from __future__ import annotations

import keras

from posenb.core import ModelDescription
from posenb.models.network import build_predictor

__all__ = ["rescale_predictor"]


def rescale_predictor(
    predictor: keras.Model, description: ModelDescription, factor: float
) -> keras.Model:
    """Return a predictor whose network sees frames larger or smaller than in training.

    Parameters
    ----------
    predictor : keras.Model
        From `build_predictor`.
    description : ModelDescription
        Its description.
    factor : float
        Above 1 for larger.

    Returns
    -------
    keras.Model
        With the same weights; poses are in pixels of the frame as before.
    """
    network = next(layer for layer in predictor.layers if isinstance(layer, keras.Model))
    return build_predictor(network, description.config.model, description.scale * factor)
