"""From the decoder's bytes to RGB frames, inside the graph."""

from __future__ import annotations

import dataclasses
from itertools import accumulate
from math import prod
from typing import Any

import keras
from keras import ops

from posenb.core import FrameFormat

__all__ = ["ToRGB"]

Crop = tuple[int, int, int, int]


@keras.saving.register_keras_serializable(package="posenb")
class ToRGB(keras.layers.Layer):
    """Turn raw frames into RGB, as swscale (FFmpeg, PyAV) does.

    Chroma is repeated for the pixels that share it, as swscale's quick conversions do (it
    interpolates where a side is odd). The formulas are those of `FrameFormat`, rounded. On
    real clips no value differs from swscale's by more than 1 of 255, on strongly coloured
    pictures by no more than 3; where each pixel has chroma of its own almost none differs.

    Parameters
    ----------
    frames : FrameFormat or mapping
        Layout of the frames, or its fields.
    crop : (int, int, int, int), optional
        x1, x2, y1, y2 in pixels, the ends excluded: the part to keep.
    **options
        Options of `keras.layers.Layer`.
    """

    def __init__(
        self,
        frames: FrameFormat | dict[str, Any],
        crop: Crop | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.frames = frames if isinstance(frames, FrameFormat) else FrameFormat(**frames)
        whole = (0, self.frames.width, 0, self.frames.height)
        self.crop: Crop = whole if crop is None else tuple(crop)  # type: ignore[assignment]

    def call(self, raw: Any) -> Any:
        """Turn `raw` frames, uint8 (B, `frames.nbytes`), into uint8 RGB (B, H, W, 3)."""
        planes = self.frames.planes
        ends = list(accumulate(prod(plane) for plane in planes))
        starts = [0, *ends[:-1]]
        x1, x2, y1, y2 = self.crop
        if self.frames.kind == "rgb":
            frames = ops.reshape(raw, (-1, self.frames.height, self.frames.width, 3))
            return frames[:, y1:y2, x1:x2]
        parts = []
        for number, (plane, start, end) in enumerate(zip(planes, starts, ends, strict=True)):
            part = ops.reshape(raw[:, start:end], (-1, *plane))
            down, across = (1, 1) if number == 0 else self.frames.shared
            top, left = y1 // down, x1 // across
            part = part[:, top : -(-y2 // down), left : -(-x2 // across)]
            part = ops.repeat(part, down, axis=1) if down > 1 else part
            part = ops.repeat(part, across, axis=2) if across > 1 else part
            top, left = y1 - top * down, x1 - left * across
            part = part[:, top : top + y2 - y1, left : left + x2 - x1]
            parts.append(ops.cast(part, "float32"))
        rows = self.frames.to_rgb
        channels = [
            sum((part * row[i] for i, part in enumerate(parts) if row[i]), start=row[3])
            for row in rows
        ]
        frames = ops.clip(ops.round(ops.stack(channels, axis=-1)), 0, 255)
        return ops.cast(frames, "uint8")

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the frames."""
        x1, x2, y1, y2 = self.crop
        return (shape[0], y2 - y1, x2 - x1, 3)

    def compute_output_spec(self, raw: Any) -> keras.KerasTensor:
        """Return shape and type of the frames."""
        return keras.KerasTensor(self.compute_output_shape(raw.shape), "uint8")

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        fields = dataclasses.asdict(self.frames)
        return {**super().get_config(), "frames": fields, "crop": list(self.crop)}
