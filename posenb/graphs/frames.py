"""The part of the graph before the network: from raw frames to its input."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import prod

import numpy as np

from posenb.core import FrameFormat
from posenb.graphs.builder import GraphBuilder

__all__ = ["Crop", "area_weights", "pad_to", "resize", "scaled", "to_rgb"]

Crop = tuple[int, int, int, int]


def to_rgb(graph: GraphBuilder, raw: str, frames: FrameFormat, crop: Crop) -> str:
    """Add what turns raw frames into RGB, float32 (B, 3, H, W), 0 to 255.

    As `posenb.models.ToRGB` does.

    Parameters
    ----------
    graph : GraphBuilder
    raw : str
        uint8 (B, nbytes).
    frames : FrameFormat
    crop : (int, int, int, int)
        x1, x2, y1, y2, the ends excluded: the part to keep.
    """
    x1, x2, y1, y2 = crop
    if frames.kind == "rgb":
        shape = graph.constant((-1, frames.height, frames.width, 3), "int64")
        packed = _cut(graph, graph.add("Reshape", raw, shape), 1, (y1, y2), (x1, x2))
        planar = graph.add("Transpose", packed, perm=(0, 3, 1, 2))
        return graph.add("Cast", planar, to=1)
    ends = list(accumulate((prod(plane) for plane in frames.planes), initial=0))
    parts = []
    for number, ((start, end), plane) in enumerate(zip(pairwise(ends), frames.planes, strict=True)):
        down, across = frames.shared if number else (1, 1)
        part = _slice(graph, raw, (start,), (end,), (1,))
        part = graph.add("Reshape", part, graph.constant((-1, 1, *plane), "int64"))
        top, left = y1 // down, x1 // across
        part = _cut(graph, part, 2, (top, -(-y2 // down)), (left, -(-x2 // across)))
        part = graph.add("Cast", part, to=1)
        part = _repeat(graph, part, down, across, (-(-y2 // down) - top, -(-x2 // across) - left))
        top, left = y1 - top * down, x1 - left * across
        parts.append(_cut(graph, part, 2, (top, top + y2 - y1), (left, left + x2 - x1)))
    return _mix(graph, parts, frames)


def _mix(graph: GraphBuilder, parts: list[str], frames: FrameFormat) -> str:
    """Add the colour matrix, and the cut to 0 to 255."""
    channels = []
    for row in frames.to_rgb:
        mixed = ""
        for part, factor in zip(parts, row[:3], strict=False):
            if factor:
                term = graph.add("Mul", part, graph.constant(factor))
                mixed = graph.add("Add", mixed, term) if mixed else term
        channels.append(graph.add("Add", mixed, graph.constant(row[3])))
    # Whole numbers, as in the images that trained the network.
    rgb = graph.add("Round", graph.add("Concat", *channels, axis=1))
    return graph.add("Clip", rgb, graph.constant(0), graph.constant(255))


def _slice(
    graph: GraphBuilder,
    value: str,
    starts: tuple[int, ...],
    ends: tuple[int, ...],
    axes: tuple[int, ...],
) -> str:
    indices = (graph.constant(each, "int64") for each in (starts, ends, axes))
    return graph.add("Slice", value, *indices)


def _cut(
    graph: GraphBuilder, value: str, axis: int, rows: tuple[int, int], columns: tuple[int, int]
) -> str:
    """Add the cut of some rows and columns, the axes `axis` and the one after it."""
    starts, ends = zip(rows, columns, strict=True)
    return _slice(graph, value, starts, ends, (axis, axis + 1))


def _repeat(graph: GraphBuilder, value: str, down: int, across: int, size: tuple[int, int]) -> str:
    """Add the repetition of each value `down` and `across`."""
    if (down, across) == (1, 1):
        return value
    height, width = size
    apart = graph.constant((-1, height, 1, width, 1), "int64")
    wide = graph.constant((1, 1, down, 1, across), "int64")
    together = graph.constant((-1, 1, height * down, width * across), "int64")
    value = graph.add("Expand", graph.add("Reshape", value, apart), wide)
    return graph.add("Reshape", value, together)


def scaled(length: int, scale: float) -> int:
    """Return the whole number of pixels that `length` pixels become at `scale`."""
    return max(1, int(length * scale + 0.5))


def area_weights(length: int, new_length: int) -> np.ndarray:
    """Return the share of each old pixel in each new one, shape (new_length, length).

    Area averages where pixels become fewer, bilinear otherwise; the weights of
    `posenb.models.Resize`.
    """
    ratio = length / new_length
    new, old = np.arange(new_length)[:, None], np.arange(length)[None]
    if new_length < length:
        shared = np.minimum(old + 1, (new + 1) * ratio) - np.maximum(old, new * ratio)
        return np.asarray(np.maximum(shared, 0) / ratio, np.float32)
    centre = np.clip((new + 0.5) * ratio - 0.5, 0, length - 1)
    return np.asarray(np.maximum(1 - np.abs(old - centre), 0), np.float32)


def resize(graph: GraphBuilder, image: str, size: tuple[int, int], scale: float) -> str:
    """Add what scales an image, float32 (B, 3, H, W), as `posenb.models.Resize` does.

    Parameters
    ----------
    graph : GraphBuilder
    image : str
    size : (int, int)
        H, W in pixels.
    scale : float
    """
    new = tuple(scaled(length, scale) for length in size)
    if new == tuple(size):
        return image
    whole = round(1 / scale) if scale < 1 else 0
    if tuple(length * whole for length in new) == tuple(size):
        steps = (whole, whole)
        return graph.add("AveragePool", image, kernel_shape=steps, strides=steps)
    down, across = (area_weights(*pair) for pair in zip(size, new, strict=True))
    image = graph.add("MatMul", image, graph.constant(across.T))
    return graph.add("MatMul", graph.constant(down), image)


def pad_to(graph: GraphBuilder, image: str, size: tuple[int, int], multiple: int, into: str) -> str:
    """Add zeros at the right and the bottom, so that both sides are multiples of a number.

    Parameters
    ----------
    graph : GraphBuilder
    image : str
    size : (int, int)
        H, W in pixels.
    multiple : int
    into : str
        Name of the output.
    """
    height, width = (-length % multiple for length in size)
    pads = graph.constant((0, 0, 0, 0, 0, 0, height, width), "int64")
    return graph.add("Pad", image, pads, into=into)
