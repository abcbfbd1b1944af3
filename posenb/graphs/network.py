"""The file of a network: its graph for any size, and what is known of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from posenb.core import ModelDescription
from posenb.errors import ConfigError, ModelError
from posenb.graphs.builder import GraphBuilder
from posenb.graphs.wire import fields

__all__ = ["DESCRIPTION", "IMAGE", "LOGITS", "NORMALISE", "OFFSETS", "SEAL", "NetworkFile", "seal"]

IMAGE, LOGITS, OFFSETS = "image", "logits", "offsets"
"""Names of the graph's input and of its outputs."""
DESCRIPTION, NORMALISE, SEAL = "posenb_description", "posenb_normalise", "posenb_sha256"
"""Keys of the metadata."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkFile:
    """The content of a ``model.onnx`` of posenb's.

    Its graph takes a float32 ``image``, shape (B, 3, H, W), H and W multiples of 32,
    normalised, and gives the maps ``logits`` (B, K, H/s, W/s) and ``offsets``
    (B, 2K, H/s, W/s). Everything around it depends on the size of the frames and
    their format, so `posenb.graphs.pose_graph` adds it when these are known, as constants.

    Parameters
    ----------
    description : ModelDescription
    factor, offset : tuple of float
        Normalised = pixel x factor + offset, by channel.
    reverse : bool
        Channels in the order blue, green, red.
    nodes, constants : tuple of bytes
        Of the graph, as encoded.
    """

    description: ModelDescription
    factor: tuple[float, ...]
    offset: tuple[float, ...]
    reverse: bool
    nodes: tuple[bytes, ...]
    constants: tuple[bytes, ...]

    @classmethod
    def decode(cls, data: bytes, name: str = "model.onnx") -> NetworkFile:
        """Read the bytes of a file; `name` is what an error calls it.

        Raises
        ------
        ModelError
            If they are no model of posenb's or are damaged.
        """
        try:
            parts = list(fields(data))
            graph = _only(parts, 7)
            metadata = dict(_entry(value) for number, value in parts if number == 14)
            inner = list(fields(graph))
            normalise: dict[str, Any] = json.loads(metadata[NORMALISE])
            found = cls(
                ModelDescription.model_validate_json(metadata[DESCRIPTION]),
                tuple(normalise["factor"]),
                tuple(normalise["offset"]),
                bool(normalise["reverse"]),
                tuple(_bytes(value) for number, value in inner if number == 1),
                tuple(_bytes(value) for number, value in inner if number == 5),
            )
            if seal(*found.nodes, *found.constants) != metadata[SEAL]:
                raise ValueError("its digest is not that of its content")
        except (ValueError, KeyError, TypeError, ConfigError) as error:
            raise ModelError(
                f"A posenb model for CPUs is an .onnx file that training wrote; {name} is not one "
                f"or is damaged ({error}). Delete it, and it is made again from model.keras; or "
                "fetch it again."
            ) from error
        return found

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        graph = GraphBuilder("network")
        graph.join(self.nodes, self.constants)
        shape = ("batch", 3, "height", "width")
        graph.input(IMAGE, "float32", shape)
        keypoints = len(self.description.keypoints)
        for name, channels in ((LOGITS, keypoints), (OFFSETS, 2 * keypoints)):
            graph.output(name, "float32", ("batch", channels, "cells_down", "cells_across"))
        normalise = {"factor": self.factor, "offset": self.offset, "reverse": self.reverse}
        return graph.encode(
            {
                DESCRIPTION: self.description.model_dump_json(),
                NORMALISE: json.dumps(normalise),
                SEAL: seal(*self.nodes, *self.constants),
            }
        )


def seal(*parts: bytes) -> str:
    """Return the SHA-256 of nodes and constants, which goes with them in the file."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise TypeError("a number where a message should be")
    return value


def _only(parts: list[tuple[int, int | bytes]], wanted: int) -> bytes:
    (value,) = (value for number, value in parts if number == wanted)
    return _bytes(value)


def _entry(value: int | bytes) -> tuple[str, str]:
    key, text = (_bytes(part).decode() for _, part in fields(_bytes(value)))
    return key, text
