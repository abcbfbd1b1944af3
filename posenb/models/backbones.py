"""ImageNet backbones by name, cut into feature maps of stride 4, 8, 16 and 32."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras

from posenb._names import unknown_name
from posenb.errors import ModelError

__all__ = ["STRIDES", "Backbone", "backbone_names", "build_backbone", "get_backbone"]

STRIDES = (4, 8, 16, 32)

_SYMMETRIC = ((1 / 127.5,) * 3, (-1.0,) * 3, False)
_CENTRED = ((1 / 128,) * 3, (-1.0,) * 3, False)
_TORCH = (
    tuple(1 / (255 * sd) for sd in (0.229, 0.224, 0.225)),
    tuple(
        -mean / sd for mean, sd in zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)
    ),
    False,
)
_CAFFE = ((1.0,) * 3, (-103.939, -116.779, -123.68), True)


@dataclass(frozen=True, slots=True)
class Backbone:
    """Where a backbone comes from and what its input must look like.

    Parameters
    ----------
    application : str
        Name in `keras.applications`.
    factor, offset : tuple of float
        Input = pixel x factor + offset, for pixels 0 to 255.
    reverse : bool
        Channels in the order blue, green, red.
    options : mapping
        Further arguments of the application.
    """

    application: str
    factor: tuple[float, ...]
    offset: tuple[float, ...]
    reverse: bool
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


_RAW = MappingProxyType({"include_preprocessing": False})
_BACKBONES: dict[str, Backbone] = {
    "convnext_small": Backbone("ConvNeXtSmall", *_TORCH, options=_RAW),
    "convnext_tiny": Backbone("ConvNeXtTiny", *_TORCH, options=_RAW),
    "efficientnet_v2_b0": Backbone("EfficientNetV2B0", *_TORCH, options=_RAW),
    "efficientnet_v2_b1": Backbone("EfficientNetV2B1", *_TORCH, options=_RAW),
    "efficientnet_v2_b2": Backbone("EfficientNetV2B2", *_TORCH, options=_RAW),
    "efficientnet_v2_b3": Backbone("EfficientNetV2B3", *_TORCH, options=_RAW),
    "efficientnet_v2_s": Backbone("EfficientNetV2S", *_CENTRED, options=_RAW),
    "mobilenet_v2": Backbone("MobileNetV2", *_SYMMETRIC),
    "mobilenet_v2_035": Backbone("MobileNetV2", *_SYMMETRIC, options={"alpha": 0.35}),
    "mobilenet_v2_050": Backbone("MobileNetV2", *_SYMMETRIC, options={"alpha": 0.5}),
    "mobilenet_v2_075": Backbone("MobileNetV2", *_SYMMETRIC, options={"alpha": 0.75}),
    "mobilenet_v2_130": Backbone("MobileNetV2", *_SYMMETRIC, options={"alpha": 1.3}),
    "mobilenet_v2_140": Backbone("MobileNetV2", *_SYMMETRIC, options={"alpha": 1.4}),
    "mobilenet_v3_large": Backbone("MobileNetV3Large", *_SYMMETRIC, options=_RAW),
    "mobilenet_v3_small": Backbone("MobileNetV3Small", *_SYMMETRIC, options=_RAW),
    "resnet_101": Backbone("ResNet101", *_CAFFE),
    "resnet_50": Backbone("ResNet50", *_CAFFE),
    "resnet_50_v2": Backbone("ResNet50V2", *_SYMMETRIC),
}


def backbone_names() -> tuple[str, ...]:
    """Return the names that `ModelConfig.backbone` may take."""
    return tuple(sorted(_BACKBONES))


def get_backbone(name: str) -> Backbone:
    """Return the description of the backbone `name`.

    Raises
    ------
    UnknownNameError
        If there is no such backbone.
    """
    if name not in _BACKBONES:
        raise unknown_name("backbone", name, backbone_names())
    return _BACKBONES[name]


def build_backbone(name: str, weights: str | Path | None = None) -> keras.Model:
    """Build a backbone that returns its feature maps.

    Parameters
    ----------
    name : str
        One of `backbone_names`.
    weights : {"imagenet", None} or path
        Keras's own ImageNet weights (downloaded, or read from ``KERAS_HOME``), random
        initial values, or a local weights file of the headless application.

    Returns
    -------
    keras.Model
        From float images, shape (B, H, W, 3), H and W multiples of 32, normalised as
        the `Backbone` says, to the list of feature maps of strides 4, 8, 16 and 32.
        Batch normalisation is frozen: a few dozen frames cannot re-estimate it.

    Raises
    ------
    ModelError
        If the weights cannot be loaded.
    """
    description = get_backbone(name)
    application = getattr(keras.applications, description.application)
    initial = weights if weights == "imagenet" else None
    try:
        with warnings.catch_warnings():
            # Keras says that these weights are of another input size; they suit every size.
            warnings.filterwarnings("ignore", "`input_shape` is undefined", UserWarning)
            model = application(
                include_top=False,
                weights=initial,
                input_shape=(None, None, 3),
                **description.options,
            )
        if weights not in ("imagenet", None):
            model.load_weights(str(weights))
    except Exception as error:
        # Keras reports a failed download as a bare Exception, raised while handling an OSError.
        known = isinstance(error, (OSError, ValueError, KeyError))
        if not known and not isinstance(error.__context__, OSError):
            raise
        raise ModelError(
            f"The weights {str(weights)!r} of the backbone {name!r} could not be loaded: {error}. "
            "Keras downloads ImageNet weights once and keeps them under KERAS_HOME; without a "
            "network, point KERAS_HOME to a copy, give a weights file, or train with weights=None."
        ) from error
    taps = [_last_at_stride(model, stride) for stride in STRIDES]
    pyramid = keras.Model(model.input, [layer.output for layer in taps], name=name)
    for layer in pyramid.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return pyramid


def _last_at_stride(model: keras.Model, stride: int) -> keras.layers.Layer:
    """Return the deepest layer whose map has one cell per `stride` pixels.

    Names of layers change between versions of Keras; strides do not.
    """
    padding = (keras.layers.ZeroPadding2D,)
    found = None
    for layer, layer_stride in _strides(model).items():
        if layer_stride == stride and not isinstance(layer, padding):
            found = layer
    if found is None:
        raise ModelError(f"The backbone {model.name!r} has no map of stride {stride}.")
    return found


def _strides(model: keras.Model) -> dict[keras.layers.Layer, int]:
    """Return the input pixels per cell of every layer that keeps an image, in graph order."""
    strides: dict[Any, int] = {}
    for operation in model.operations:
        parents = [
            node.operation
            for inbound in operation._inbound_nodes
            for node in inbound.parent_nodes
            if node.operation in strides
        ]
        if isinstance(operation, keras.layers.InputLayer):
            strides[operation] = 1
        elif parents and "Global" not in type(operation).__name__:
            # A squeeze-and-excite branch has left the image; it joins it again as a factor.
            strides[operation] = max(strides[p] for p in parents) * _own_stride(operation)
    return strides


def _own_stride(operation: Any) -> int:
    if isinstance(operation, keras.Sequential):
        return prod(_own_stride(layer) for layer in operation.layers)
    stride = getattr(operation, "strides", 1)
    return int(stride[0]) if isinstance(stride, (tuple, list)) else int(stride)
