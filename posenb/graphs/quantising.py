"""Networks in whole numbers of 8 bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from posenb.graphs.builder import TYPES, GraphBuilder
from posenb.graphs.network import NetworkFile
from posenb.graphs.wire import fields, message, numbers

__all__ = ["quantise_network", "read_constant", "rounded_values"]

# Operators around convolutions that pass whole numbers on, so that these alone go through memory.
_ROUNDED = ("Conv", "Pad", "Resize", "MaxPool")

Range = tuple[float, float]


def rounded_values(network: NetworkFile) -> tuple[str, ...]:
    """Return the values whose ranges `quantise_network` must know, each once."""
    constants = {read_constant(data)[0] for data in network.constants}
    read = (_rounded_inputs(*_read_node(node)) for node in network.nodes)
    return tuple(dict.fromkeys(name for names in read for name in names if name not in constants))


def _rounded_inputs(op: str, inputs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the inputs of a node that are rounded before it."""
    if op == "Add":
        return inputs
    return inputs[:1] if op in _ROUNDED else ()


def quantise_network(network: NetworkFile, ranges: Mapping[str, Range]) -> NetworkFile:
    """Let convolutions compute with whole numbers of 8 bits.

    Values become ``round(value / step) + zero`` with one step for each value that a
    convolution reads and one for each of its output channels' weights (symmetric); runtimes
    find the pairs of QuantizeLinear and DequantizeLinear and multiply whole numbers
    between them. See Jacob et al. 2018, Quantization and training of neural networks for
    efficient integer-arithmetic-only inference. Sums, padding and enlargement between
    convolutions read rounded values too; everything else stays as it is.

    Parameters
    ----------
    network : NetworkFile
    ranges : mapping of str to (float, float)
        Smallest and largest value of each of `rounded_values`.

    Returns
    -------
    NetworkFile
    """
    constants = dict(map(read_constant, network.constants))
    graph = GraphBuilder("int8")
    steps: dict[str, tuple[str, float]] = {}
    used: set[str] = set()
    for node in network.nodes:
        op, inputs = _read_node(node)
        for name in _rounded_inputs(op, inputs):
            if name not in steps and name not in constants:
                steps[name] = _quantised(graph, name, ranges[name])
        read = [steps[name][0] if name in steps else name for name in inputs]
        if op == "Conv":
            source, kernel, bias = inputs
            read[1], weight_steps = _quantised_kernel(graph, constants[kernel])
            read[2] = _quantised_bias(graph, constants[bias], steps[source][1] * weight_steps)
            used |= {kernel, bias}
        graph.join([_with_inputs(node, read)], ())
    pairs = zip(constants, network.constants, strict=True)
    kept = (data for name, data in pairs if name not in used)
    return replace(network, nodes=tuple(graph.nodes), constants=(*kept, *graph.constants))


def _quantised(graph: GraphBuilder, value: str, limits: Range) -> tuple[str, float]:
    low, high = min(limits[0], 0.0), max(limits[1], 0.0)
    step = float(np.float32(max(high - low, 1e-6) / 255))
    how = graph.constant(step), graph.constant(round(-low / step), "uint8")
    whole = graph.add("QuantizeLinear", value, *how)
    return graph.add("DequantizeLinear", whole, *how), step


def _quantised_kernel(graph: GraphBuilder, kernel: np.ndarray) -> tuple[str, np.ndarray]:
    largest = np.abs(kernel).max(axis=(1, 2, 3))
    steps = (np.maximum(largest, 1e-8) / 127).astype(np.float32)
    whole = np.clip(np.round(kernel / steps[:, None, None, None]), -127, 127)
    how = graph.constant(steps), graph.constant(np.zeros(len(steps)), "int8")
    return graph.add("DequantizeLinear", graph.constant(whole, "int8"), *how, axis=0), steps


def _quantised_bias(graph: GraphBuilder, bias: np.ndarray, steps: np.ndarray) -> str:
    whole = np.clip(np.round(bias / steps.astype(np.float64)), -(2**31) + 1, 2**31 - 1)
    how = graph.constant(steps), graph.constant(np.zeros(len(steps)), "int32")
    return graph.add("DequantizeLinear", graph.constant(whole, "int32"), *how, axis=0)


def _read_node(node: bytes) -> tuple[str, tuple[str, ...]]:
    """Return operator and inputs of an encoded node."""
    parts = [(number, value) for number, value in fields(node) if isinstance(value, bytes)]
    inputs = tuple(value.decode() for number, value in parts if number == 1)
    (op,) = (value.decode() for number, value in parts if number == 4)
    return op, inputs


def _with_inputs(node: bytes, inputs: Sequence[str]) -> bytes:
    """Return an encoded node with other inputs."""
    others = ((number, value) for number, value in fields(node) if number != 1)
    return message(*((1, name) for name in inputs), *others)


def read_constant(data: bytes) -> tuple[str, np.ndarray]:
    """Return name and values of an encoded constant that `GraphBuilder` wrote."""
    parts = dict(fields(data))
    shape = tuple(numbers(parts.get(1, b"")))
    (dtype,) = (name for name, number in TYPES.items() if number == parts[2])
    name, raw = parts[8], parts[9]
    assert isinstance(name, bytes)
    assert isinstance(raw, bytes)
    return name.decode(), np.frombuffer(raw, np.dtype(dtype).newbyteorder("<")).reshape(shape)
