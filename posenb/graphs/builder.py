"""Putting an ONNX graph together, node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from posenb.graphs.wire import field, message

__all__ = ["OPSET", "TYPES", "GraphBuilder"]

OPSET = 17
"""Version of the ONNX operators; the first with LayerNormalization, known since 2022."""

_IR = 8  # version of the file format that goes with it
TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "float16": 10}
"""Numbers of data types."""

Shape = Sequence[int | str]


class GraphBuilder:
    """An ONNX graph in the making.

    Values are names. Nodes must be added in the order in which they compute.

    Parameters
    ----------
    name : str
        Of the graph; also the beginning of the names that it gives to values, so that
        graphs of different names can be joined.

    Attributes
    ----------
    nodes, constants : list of bytes
        As encoded so far.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[bytes] = []
        self.constants: list[bytes] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._count = 0

    def _new_name(self, hint: str) -> str:
        self._count += 1
        return f"{self.name}/{hint}_{self._count}"

    def input(self, name: str, dtype: str, shape: Shape) -> str:
        """Declare an input; a text in `shape` is a size that may vary."""
        self._inputs.append(_value_info(name, dtype, shape))
        return name

    def output(self, name: str, dtype: str, shape: Shape | None) -> None:
        """Declare a value to be an output; None is a shape that is not told."""
        self._outputs.append(_value_info(name, dtype, shape))

    def constant(self, values: Any, dtype: str = "float32") -> str:
        """Add an array that never changes."""
        array = np.asarray(values, dtype, order="C")
        name = self._new_name("constant")
        parts: list[tuple[int, Any]] = [(2, TYPES[array.dtype.name]), (8, name)]
        if array.ndim:
            parts.insert(0, (1, array.shape))
        parts.append((9, array.astype(array.dtype.newbyteorder("<")).tobytes()))
        self.constants.append(message(*parts))
        return name

    def add(self, op: str, *inputs: str, into: str | None = None, **attributes: Any) -> str:
        """Add a node with one output.

        Parameters
        ----------
        op : str
            An operator of ONNX.
        *inputs : str
            Values; an empty text leaves an optional one out.
        into : str, optional
            Name of the output.
        **attributes
            Of the operator: whole numbers, floats, texts or sequences of whole numbers.

        Returns
        -------
        str
            The output.
        """
        output = into or self._new_name(op.lower())
        parts: list[tuple[int, Any]] = [(1, name) for name in inputs]
        parts += [(2, output), (3, output), (4, op)]
        parts += [(5, _attribute(name, value)) for name, value in attributes.items()]
        self.nodes.append(message(*parts))
        return output

    def join(self, nodes: Sequence[bytes], constants: Sequence[bytes]) -> None:
        """Add nodes and constants of another graph as they were encoded."""
        self.nodes += nodes
        self.constants += constants

    def encode(self, metadata: Mapping[str, str] | None = None) -> bytes:
        """Return the bytes of an ONNX file."""
        graph = [(1, node) for node in self.nodes]
        graph += [(2, self.name.encode())]
        graph += [(5, constant) for constant in self.constants]
        graph += [(11, each) for each in self._inputs]
        graph += [(12, each) for each in self._outputs]
        told = sorted((metadata or {}).items())
        return b"".join(
            [
                message((1, _IR), (2, "posenb")),
                field(7, message(*graph)),
                field(8, message((1, ""), (2, OPSET))),
                *(field(14, message((1, key), (2, value))) for key, value in told),
            ]
        )


def _value_info(name: str, dtype: str, shape: Shape | None) -> bytes:
    tensor = message((1, TYPES[dtype]))
    if shape is not None:
        sizes = (message((1, n) if isinstance(n, int) else (2, n)) for n in shape)
        tensor += field(2, message(*((1, size) for size in sizes)))
    return message((1, name), (2, message((1, tensor))))


def _attribute(name: str, value: Any) -> bytes:
    if isinstance(value, int):
        return message((1, name), (3, value), (20, 2))
    if isinstance(value, float):
        return message((1, name), (2, value), (20, 1))
    if isinstance(value, str):
        return message((1, name), (4, value), (20, 3))
    return message((1, name), (8, tuple(int(n) for n in value)), (20, 7))
