"""The whole graph: raw frames, network, poses; and the part after the network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posenb.core import FrameFormat
from posenb.graphs.builder import GraphBuilder
from posenb.graphs.frames import Crop, pad_to, resize, scaled, to_rgb
from posenb.graphs.network import IMAGE, LOGITS, OFFSETS, NetworkFile

__all__ = ["OFFSET_SCALE", "POSES", "RAW", "pose_graph"]

OFFSET_SCALE = 7.2801
"""Pixels per unit of the location-refinement maps (DeeperCut; Mathis et al. 2018)."""

RAW, POSES = "raw", "poses"
"""Names of the input and the output of the whole graph."""

_DEEPEST = 32
_REACH = 1  # cells on each side of the peak that vote


def pose_graph(
    network: NetworkFile,
    frames: FrameFormat,
    batch_size: int,
    crop: Crop | None = None,
    *,
    also: Sequence[str] = (),
) -> bytes:
    """Build the ONNX graph from raw frames of one format to poses.

    The same computation as `posenb.models.build_predictor` behind `posenb.models.ToRGB`,
    with all sizes fixed: runtimes then choose their kernels once, and resizing, padding
    and decoding are products with constants.

    Parameters
    ----------
    network : NetworkFile
    frames : FrameFormat
    batch_size : int
        B.
    crop : (int, int, int, int), optional
        x1, x2, y1, y2 in pixels, the ends excluded: the part to look at.
    also : sequence of str, optional
        Float values inside the network that shall be outputs too.

    Returns
    -------
    bytes
        A file with the input ``raw``, uint8 (B, nbytes), and the output ``poses``,
        float32 (B, K, 3): x, y in pixels of the crop, and likelihood.
    """
    graph = GraphBuilder("around")
    raw = graph.input(RAW, "uint8", (batch_size, frames.nbytes))
    whole = crop or (0, frames.width, 0, frames.height)
    source = whole[3] - whole[2], whole[1] - whole[0]
    description = network.description
    image = to_rgb(graph, raw, frames, whole)
    image = resize(graph, image, source, description.scale)
    height, width = (scaled(length, description.scale) for length in source)
    if network.reverse:
        image = graph.add("Gather", image, graph.constant((2, 1, 0), "int64"), axis=1)
    factor, offset = (np.reshape(each, (1, 3, 1, 1)) for each in (network.factor, network.offset))
    image = graph.add("Mul", image, graph.constant(factor))
    image = graph.add("Add", image, graph.constant(offset))
    pad_to(graph, image, (height, width), _DEEPEST, into=IMAGE)
    graph.join(network.nodes, network.constants)
    stride = description.config.model.stride
    cells = tuple((length + -length % _DEEPEST) // stride for length in (height, width))
    keypoints = len(description.keypoints)
    x, y, likelihood = _decode(graph, keypoints, (cells[0], cells[1]), stride)
    across = _to_source(graph, x, source[1], width)
    down = _to_source(graph, y, source[0], height)
    graph.add("Concat", across, down, likelihood, axis=2, into=POSES)
    graph.output(POSES, "float32", (batch_size, keypoints, 3))
    for name in also:
        graph.output(name, "float32", None)
    return graph.encode()


def _decode(
    graph: GraphBuilder, keypoints: int, cells: tuple[int, int], stride: int
) -> tuple[str, str, str]:
    """Add what `posenb.models.DecodePeaks` does; x, y and likelihood are (B, K, 1)."""
    height, width = cells

    def whole(values: object) -> str:
        return graph.constant(values, "int64")

    flat = graph.add("Reshape", LOGITS, whole((-1, keypoints, height * width)))
    votes = graph.add("Reshape", OFFSETS, whole((-1, keypoints, 2, height * width)))
    peak = graph.add("ArgMax", flat, axis=2, keepdims=1)
    highest = graph.add("ReduceMax", flat, axes=(2,), keepdims=1)
    steps = np.arange(-_REACH, _REACH + 1)
    down, right = (each.reshape(1, 1, -1) for each in np.meshgrid(steps, steps, indexing="ij"))
    row = graph.add("Add", graph.add("Div", peak, whole(width)), whole(down))
    column = graph.add("Add", graph.add("Mod", peak, whole(width)), whole(right))
    near_row = graph.add("Min", graph.add("Max", row, whole(0)), whole(height - 1))
    near_column = graph.add("Min", graph.add("Max", column, whole(0)), whole(width - 1))
    cell = graph.add("Add", graph.add("Mul", near_row, whole(width)), near_column)
    inside = graph.add(
        "And", graph.add("Equal", row, near_row), graph.add("Equal", column, near_column)
    )
    logit = graph.add("GatherElements", flat, cell, axis=2)
    # Relative to the peak, so that the weights never vanish altogether.
    weight = graph.add(
        "Exp", graph.add("Sub", _log_sigmoid(graph, logit), _log_sigmoid(graph, highest))
    )
    weight = graph.add("Mul", weight, graph.add("Cast", inside, to=1))
    share = graph.add("Div", weight, graph.add("ReduceSum", weight, whole((2,)), keepdims=1))
    both = graph.add("Unsqueeze", cell, whole((2,)))
    both = graph.add("Concat", both, both, axis=2)
    vote = graph.add("GatherElements", votes, both, axis=3)
    vote = graph.add("Mul", vote, graph.constant(OFFSET_SCALE))
    found = []
    for number, place in enumerate((near_column, near_row)):
        centre = graph.add("Mul", graph.add("Cast", place, to=1), graph.constant(stride))
        centre = graph.add("Add", centre, graph.constant((stride - 1) / 2))
        own = graph.add("Gather", vote, whole(number), axis=2)
        each = graph.add("Mul", share, graph.add("Add", centre, own))
        found.append(graph.add("ReduceSum", each, whole((2,)), keepdims=1))
    return found[0], found[1], graph.add("Sigmoid", highest)


def _log_sigmoid(graph: GraphBuilder, value: str) -> str:
    return graph.add("Neg", graph.add("Softplus", graph.add("Neg", value)))


def _to_source(graph: GraphBuilder, value: str, length: int, scaled_length: int) -> str:
    """Add what `posenb.models.ToSource` does to one coordinate."""
    value = graph.add("Add", value, graph.constant(0.5))
    value = graph.add("Mul", value, graph.constant(length / scaled_length))
    value = graph.add("Sub", value, graph.constant(0.5))
    return graph.add("Clip", value, graph.constant(-0.5), graph.constant(length - 0.5))
