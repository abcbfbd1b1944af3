"""Batch normalisation of a network that starts from nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

__all__ = ["calibrate"]


def calibrate(network: keras.Model, forward: Callable[[], Any]) -> None:
    """Set frozen batch normalisation to the statistics of one forward pass.

    Backbones keep theirs frozen (`build_backbone`). With pretrained weights the statistics
    come with them; with random ones they would say mean 0 and variance 1, which
    normalises nothing, and the signal dies within a few layers. Layers that follow
    others see what those give once normalised, so one pass sets them all.

    Parameters
    ----------
    network : keras.Model
        Changed in place; its layers are frozen again afterwards.
    forward : callable
        Runs the network once with ``training=True``, eagerly, on frames as they come in
        training.
    """
    layers = [
        layer
        for layer in network._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    before = [(layer.trainable, layer.momentum) for layer in layers]
    for layer in layers:
        layer.trainable, layer.momentum = True, 0.0  # the mean is that of this pass alone
    try:
        forward()
    finally:
        for layer, (trainable, momentum) in zip(layers, before, strict=True):
            layer.trainable, layer.momentum = trainable, momentum
