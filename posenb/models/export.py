"""From a trained Keras predictor to an ONNX file that runs without Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np

from posenb.core import ModelDescription
from posenb.errors import ModelError
from posenb.graphs import GraphBuilder, NetworkFile
from posenb.graphs.network import IMAGE, LOGITS, OFFSETS
from posenb.models.backbones import get_backbone

__all__ = ["export_network"]


def export_network(predictor: keras.Model, description: ModelDescription) -> NetworkFile:
    """Write the network of a predictor as an ONNX graph.

    Batch normalisation is folded into the convolutions before it, and images are laid
    out channels first; nothing else changes. The backbones that `ModelConfig` knows are
    made of some twenty kinds of layers, which are written here one by one: general
    converters need packages that Colab's images lack, and start from a TensorFlow
    function, so that they cannot export what JAX trained.

    Parameters
    ----------
    predictor : keras.Model
        From `build_predictor`.
    description : ModelDescription

    Returns
    -------
    NetworkFile

    Raises
    ------
    ModelError
        If the network holds a layer that is not known here.
    """
    network = next(layer for layer in predictor.layers if isinstance(layer, keras.Model))
    graph = GraphBuilder("network")
    maps = _run(network, _Maps(graph, IMAGE))
    for name in (LOGITS, OFFSETS):
        graph.add("Identity", maps[name].value, into=name)
    backbone = get_backbone(description.config.model.backbone)
    return NetworkFile(
        description,
        backbone.factor,
        backbone.offset,
        backbone.reverse,
        tuple(graph.nodes),
        tuple(graph.constants),
    )


@dataclass(slots=True)
class _Maps:
    """A value of the graph, (B, C, H, W); vectors are maps of one pixel.

    Parameters
    ----------
    graph : GraphBuilder
    name : str, optional
        None as long as the convolution that makes it is not written.
    convolution : _Convolution, optional
        What makes it, for normalisation to be folded into.
    """

    graph: GraphBuilder
    name: str | None = None
    convolution: _Convolution | None = None

    @property
    def value(self) -> str:
        """Name of the value, written now if it was not yet."""
        if self.name is None:
            assert self.convolution is not None
            self.name = self.convolution.write(self.graph)
        return self.name

    def then(self, op: str, *others: str, **attributes: Any) -> _Maps:
        """Return what an operator makes of this."""
        return _Maps(self.graph, self.graph.add(op, self.value, *others, **attributes))


@dataclass(frozen=True, slots=True, eq=False)
class _Convolution:
    """A convolution not yet written.

    Parameters
    ----------
    source : str
    kernel : ndarray, shape (C_out, C_in / groups, kh, kw)
    bias : ndarray, shape (C_out,)
    options : mapping
        Attributes of the operator.
    """

    source: str
    kernel: np.ndarray
    bias: np.ndarray
    options: Mapping[str, Any]

    def times(self, factor: np.ndarray, offset: np.ndarray) -> _Convolution:
        """Return the convolution whose output is multiplied and shifted by channel."""
        kernel = self.kernel * factor[:, None, None, None]
        return _Convolution(self.source, kernel, self.bias * factor + offset, self.options)

    def write(self, graph: GraphBuilder) -> str:
        weights = graph.constant(self.kernel), graph.constant(self.bias)
        return graph.add("Conv", self.source, *weights, **self.options)


def _run(model: Any, *inputs: _Maps) -> Any:
    """Go through the layers of a functional model in their order."""
    functional = model._functional if isinstance(model, keras.Sequential) else model
    return functional._run_through_graph(
        list(inputs), operation_fn=lambda operation: partial(_convert, operation)
    )


def _convert(operation: Any, *inputs: Any, **options: Any) -> Any:
    if isinstance(operation, keras.Model):
        return _run(operation, *inputs)
    kind = type(operation).__name__
    if kind not in _WRITERS:
        raise ModelError(
            f"Layers of {len(_WRITERS)} kinds can be exported; {operation.name!r} is a {kind}. "
            "Analyze with runtime='keras', which needs no export."
        )
    del options  # whether it trains, which it does not
    return _WRITERS[kind](operation, *inputs)


def _weights(layer: Any, name: str) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(getattr(layer, name)), np.float64)


def _bias(layer: Any, channels: int) -> np.ndarray:
    return _weights(layer, "bias") if layer.use_bias else np.zeros(channels)


def _conv(layer: Any, maps: _Maps) -> _Maps:
    # Keras keeps kernels as (kh, kw, C_in / groups, C_out).
    kernel = _weights(layer, "kernel").transpose(3, 2, 0, 1)
    bias = _bias(layer, len(kernel))
    convolution = _Convolution(maps.value, kernel, bias, _window(layer, layer.groups))
    return _activate(layer, _Maps(maps.graph, None, convolution))


def _depthwise(layer: Any, maps: _Maps) -> _Maps:
    kernel = _weights(layer, "kernel")  # (kh, kw, C_in, multiplier)
    channels = kernel.shape[2] * kernel.shape[3]
    kernel = kernel.reshape(*kernel.shape[:2], 1, channels).transpose(3, 2, 0, 1)
    options = _window(layer, channels // layer.depth_multiplier)
    convolution = _Convolution(maps.value, kernel, _bias(layer, channels), options)
    return _activate(layer, _Maps(maps.graph, None, convolution))


def _window(layer: Any, groups: int) -> dict[str, Any]:
    """Return the attributes of a convolution."""
    pads = [0, 0, 0, 0]
    if layer.padding == "same":
        # Sides are multiples of every stride, as those of the image are of 32.
        reach = [
            d * (k - 1) + 1 for d, k in zip(layer.dilation_rate, layer.kernel_size, strict=True)
        ]
        lacking = [max(r - s, 0) for r, s in zip(reach, layer.strides, strict=True)]
        pads = [n // 2 for n in lacking] + [n - n // 2 for n in lacking]
    return {
        "dilations": tuple(layer.dilation_rate),
        "group": groups,
        "kernel_shape": tuple(layer.kernel_size),
        "pads": tuple(pads),
        "strides": tuple(layer.strides),
    }


def _dense(layer: Any, maps: _Maps) -> _Maps:
    kernel = _weights(layer, "kernel").T[..., None, None]  # the same for each pixel
    convolution = _Convolution(
        maps.value, kernel, _bias(layer, len(kernel)), {"kernel_shape": (1, 1)}
    )
    return _activate(layer, _Maps(maps.graph, None, convolution))


def _batch_norm(layer: Any, maps: _Maps) -> _Maps:
    factor = 1 / np.sqrt(_weights(layer, "moving_variance") + layer.epsilon)
    if layer.scale:
        factor = factor * _weights(layer, "gamma")
    offset = -_weights(layer, "moving_mean") * factor
    if layer.center:
        offset = offset + _weights(layer, "beta")
    if maps.convolution is not None:
        return _Maps(maps.graph, None, maps.convolution.times(factor, offset))
    scaled = maps.then("Mul", _by_channel(maps, factor))
    return scaled.then("Add", _by_channel(maps, offset))


def _by_channel(maps: _Maps, values: np.ndarray) -> str:
    return maps.graph.constant(values.reshape(1, -1, 1, 1))


def _layer_norm(layer: Any, maps: _Maps) -> _Maps:
    graph = maps.graph
    weights = [graph.constant(_weights(layer, name)) for name in ("gamma", "beta")]
    last = maps.then("Transpose", perm=(0, 2, 3, 1))
    normalised = last.then("LayerNormalization", *weights, axis=-1, epsilon=float(layer.epsilon))
    return normalised.then("Transpose", perm=(0, 3, 1, 2))


def _layer_scale(layer: Any, maps: _Maps) -> _Maps:
    return maps.then("Mul", _by_channel(maps, _weights(layer, "gamma")))


def _zero_padding(layer: Any, maps: _Maps) -> _Maps:
    (top, bottom), (left, right) = layer.padding
    pads = maps.graph.constant((0, 0, top, left, 0, 0, bottom, right), "int64")
    return maps.then("Pad", pads)


def _pooling(op: str, layer: Any, maps: _Maps) -> _Maps:
    return maps.then(op, kernel_shape=layer.pool_size, strides=layer.strides)


def _up_sampling(layer: Any, maps: _Maps) -> _Maps:
    scales = maps.graph.constant((1, 1, *layer.size))
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return maps.then("Resize", "", scales, mode="nearest", **how)


def _average(_: Any, maps: _Maps) -> _Maps:
    return maps.then("GlobalAveragePool")


def _same(_: Any, maps: _Maps) -> _Maps:
    return maps


def _elementwise(op: str, _: Any, *terms: Any) -> _Maps:
    """Write an operator of maps, given one by one or as a list, and of numbers."""
    flat = terms[0] if isinstance(terms[0], (list, tuple)) else terms
    graph = next(term.graph for term in flat if isinstance(term, _Maps))
    names = [t.value if isinstance(t, _Maps) else graph.constant(t) for t in flat]
    total = names[0]
    for name in names[1:]:
        total = graph.add(op, total, name)
    return _Maps(graph, total)


def _activate(layer: Any, maps: _Maps) -> _Maps:
    return _activation(layer.activation.__name__, maps)


def _activation(name: str, maps: _Maps) -> _Maps:
    if name == "linear":
        return maps
    if name in _PLAIN:
        return maps.then(_PLAIN[name])
    if name == "hard_sigmoid":
        return maps.then("HardSigmoid", alpha=1 / 6, beta=0.5)
    if name == "silu":
        return maps.then("Mul", maps.then("Sigmoid").value)
    if name == "gelu":
        graph = maps.graph
        error = maps.then("Mul", graph.constant(np.sqrt(0.5))).then("Erf")
        half = error.then("Add", graph.constant(1)).then("Mul", graph.constant(0.5))
        return maps.then("Mul", half.value)
    raise ModelError(
        f"The activation {name!r} cannot be exported. Analyze with runtime='keras', which needs no "
        "export."
    )


_PLAIN = {"relu": "Relu", "sigmoid": "Sigmoid", "hard_silu": "HardSwish", "tanh": "Tanh"}


def _relu(layer: Any, maps: _Maps) -> _Maps:
    if layer.max_value is None:
        return maps.then("Relu")
    return maps.then("Clip", *(maps.graph.constant(n) for n in (0, layer.max_value)))


_WRITERS: dict[str, Callable[..., _Maps]] = {
    "Activation": _activate,
    "Add": partial(_elementwise, "Add"),
    "AveragePooling2D": partial(_pooling, "AveragePool"),
    "BatchNormalization": _batch_norm,
    "Conv2D": _conv,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "Dropout": _same,
    "GlobalAveragePooling2D": _average,
    "LayerNormalization": _layer_norm,
    "LayerScale": _layer_scale,
    "MaxPooling2D": partial(_pooling, "MaxPool"),
    "Multiply": partial(_elementwise, "Mul"),
    "ReLU": _relu,
    "Reshape": _same,  # of vectors to maps of one pixel
    "UpSampling2D": _up_sampling,
    "ZeroPadding2D": _zero_padding,
}
