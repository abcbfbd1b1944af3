"""The network: backbone, pyramid decoder, heads; and the predictor around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from posenb.core import ModelConfig
from posenb.models.backbones import STRIDES, build_backbone, get_backbone
from posenb.models.layers import DecodePeaks, Normalise, PadToMultiple, Resize, ToSource

__all__ = ["HEADS", "build_network", "build_normalise", "build_predictor"]

HEADS = {"early_logits": 1, "logits": 1, "offsets": 2}
"""Layers with channels for each keypoint, and how many."""

_PRIOR = -4.0  # logit of a cell before training: keypoints are rare
_DEEPEST = 32


def build_normalise(config: ModelConfig) -> Normalise:
    """Return the layer that normalises pixels for the backbone of `config`."""
    description = get_backbone(config.backbone)
    return Normalise(
        list(description.factor),
        list(description.offset),
        description.reverse,
        dtype="float32",
        name="normalise",
    )


def build_network(
    config: ModelConfig, keypoints: int, weights: str | Path | None = None
) -> keras.Model:
    """Build the trainable part: normalised images in, maps out.

    Parameters
    ----------
    config : ModelConfig
    keypoints : int
        K.
    weights : {"imagenet", None} or path
        Initial weights of the backbone. `config.weights` is only the record: whoever
        calls resolves a URL to a local file first.

    Returns
    -------
    keras.Model
        From images, shape (B, H, W, 3), H and W multiples of 32, to a dict of
        ``logits`` (B, H/s, W/s, K), ``offsets`` (B, H/s, W/s, 2K; x and y alternate,
        in units of `OFFSET_SCALE` pixels) and, with intermediate supervision,
        ``early_logits`` (B, H/16, W/16, K).
    """
    backbone = build_backbone(config.backbone, weights)
    image = keras.Input((None, None, 3), name="image")
    maps = dict(zip(STRIDES, backbone(image), strict=True))
    outputs: dict[str, Any] = {}
    top = _conv(config.width, 1, "lateral_32")(maps[32])
    for stride in (s for s in reversed(STRIDES[:-1]) if s >= config.stride):
        lateral = _conv(config.width, 1, f"lateral_{stride}", activation=None)(maps[stride])
        top = keras.layers.UpSampling2D(2, name=f"up_{stride}")(top)
        top = keras.layers.Add(name=f"merge_{stride}")([top, lateral])
        top = keras.layers.Activation("relu", name=f"relu_{stride}")(top)
        top = _conv(config.width, 3, f"smooth_{stride}")(top)
        if stride == 16 and config.intermediate_supervision:
            outputs["early_logits"] = _head(keypoints, "early_logits", prior=_PRIOR)(top)
    outputs["logits"] = _head(keypoints, "logits", prior=_PRIOR)(top)
    outputs["offsets"] = _head(2 * keypoints, "offsets")(top)
    return keras.Model(image, outputs, name="network")


def build_predictor(network: keras.Model, config: ModelConfig, scale: float) -> keras.Model:
    """Wrap a trained network into one function from raw frames to poses.

    Parameters
    ----------
    network : keras.Model
        What `build_network` returned.
    config : ModelConfig
    scale : float
        Network input pixels per source pixel.

    Returns
    -------
    keras.Model
        From uint8 RGB frames, shape (B, H, W, 3), any size, to poses, shape
        (B, K, 3): x, y in pixels of the frame (integers are pixel centres) and
        likelihood.
    """
    frames = keras.Input((None, None, 3), dtype="uint8", name="frames")
    image = Resize(scale, dtype="float32", name="resize")(frames)
    image = build_normalise(config)(image)
    image = PadToMultiple(_DEEPEST, name="pad")(image)
    maps = network(image)
    poses = DecodePeaks(config.stride, dtype="float32", name="decode")(
        maps["logits"], maps["offsets"]
    )
    poses = ToSource(scale, dtype="float32", name="to_source")(poses, frames)
    return keras.Model(frames, poses, name="predictor")


def _conv(width: int, size: int, name: str, activation: str | None = "relu") -> keras.layers.Layer:
    return keras.layers.Conv2D(
        width,
        size,
        padding="same",
        activation=activation,
        kernel_initializer="he_normal",
        name=name,
    )


def _head(channels: int, name: str, prior: float = 0.0) -> keras.layers.Layer:
    return keras.layers.Conv2D(
        channels,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(prior),
        dtype="float32",
        name=name,
    )
