"""Layers between frames and network, and between maps and poses, in `keras.ops` alone.

All of them follow one pixel convention: integer coordinates are pixel centres,
resizing maps x to (x + 0.5) · scale − 0.5, and map cell j of stride s lies at
j · s + (s − 1) / 2.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from posenb.graphs.poses import OFFSET_SCALE

__all__ = ["OFFSET_SCALE", "DecodePeaks", "Normalise", "PadToMultiple", "Resize", "ToSource"]

_register = keras.saving.register_keras_serializable(package="posenb")


def _scaled(length: Any, scale: float) -> Any:
    """Return the whole number of pixels that `length` pixels become at `scale`."""
    if isinstance(length, int):
        return max(1, int(length * scale + 0.5))
    rounded = ops.floor(ops.cast(length, "float32") * scale + 0.5)
    return ops.maximum(ops.cast(rounded, "int32"), 1)


@_register
class Resize(keras.layers.Layer):
    """Scale frames: area averages where they shrink, bilinear where they grow.

    Written as two products with small matrices, so that it is the same on every backend
    and works where the graph does not know the size of the frames.

    Parameters
    ----------
    scale : float
        Output pixels per input pixel.
    **options
        Options of `keras.layers.Layer`.
    """

    def __init__(self, scale: float, **options: Any) -> None:
        super().__init__(**options)
        self.scale = float(scale)

    def call(self, frames: Any) -> Any:
        """Scale `frames`, shape (B, H, W, C), to float32."""
        frames = ops.cast(frames, "float32")
        if self.scale == 1:
            return frames
        height, width = ops.shape(frames)[1:3]
        new_height, new_width = _scaled(height, self.scale), _scaled(width, self.scale)
        whole = round(1 / self.scale)
        if isinstance(height, int) and (height, width) == (new_height * whole, new_width * whole):
            # The same averages as below, several times faster.
            return ops.average_pool(frames, whole, strides=whole)
        down = self._weights(height, new_height)
        across = self._weights(width, new_width)
        frames = ops.einsum("ih,bhwc->biwc", down, frames)
        return ops.einsum("jw,biwc->bijc", across, frames)

    def _weights(self, length: Any, new_length: Any) -> Any:
        """Return the share of each old pixel in each new one, shape (new_length, length)."""
        ratio = ops.cast(length, "float32") / ops.cast(new_length, "float32")
        new = ops.arange(new_length, dtype="float32")[:, None]
        old = ops.arange(length, dtype="float32")[None]
        if self.scale < 1:
            end = ops.minimum(old + 1, (new + 1) * ratio)
            return ops.maximum(end - ops.maximum(old, new * ratio), 0.0) / ratio
        last = ops.cast(length, "float32") - 1
        centre = ops.clip((new + 0.5) * ratio - 0.5, 0.0, last)
        return ops.maximum(1 - ops.abs(old - centre), 0.0)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the scaled frames."""
        height, width = (None if n is None else _scaled(n, self.scale) for n in shape[1:3])
        return (shape[0], height, width, shape[3])

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "scale": self.scale}


@_register
class Normalise(keras.layers.Layer):
    """Bring pixels 0 to 255 into the range a backbone was trained on.

    Parameters
    ----------
    factor, offset : sequence of float
        Output = pixel x factor + offset, by channel.
    reverse : bool
        Turn red, green, blue into blue, green, red first.
    **options
        Options of `keras.layers.Layer`.
    """

    def __init__(
        self, factor: list[float], offset: list[float], reverse: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.factor = [float(value) for value in factor]
        self.offset = [float(value) for value in offset]
        self.reverse = bool(reverse)

    def call(self, frames: Any) -> Any:
        """Normalise `frames`, shape (B, H, W, 3), 0 to 255."""
        frames = ops.cast(frames, "float32")
        if self.reverse:
            frames = ops.flip(frames, axis=-1)
        factor = ops.convert_to_tensor(self.factor, "float32")
        offset = ops.convert_to_tensor(self.offset, "float32")
        return ops.cast(frames * factor + offset, self.compute_dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape unchanged."""
        return shape

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "offset": self.offset,
            "reverse": self.reverse,
        }


@_register
class PadToMultiple(keras.layers.Layer):
    """Pad normalised frames with zeros at the right and the bottom.

    Parameters
    ----------
    multiple : int
        Height and width become multiples of this.
    **options
        Options of `keras.layers.Layer`.
    """

    def __init__(self, multiple: int = 32, **options: Any) -> None:
        super().__init__(**options)
        self.multiple = int(multiple)

    def call(self, frames: Any) -> Any:
        """Pad `frames`, shape (B, H, W, C)."""
        shape = ops.shape(frames)
        height, width = (self._padded(n) for n in shape[1:3])
        if isinstance(height, int) and isinstance(width, int):
            padding = ((0, 0), (0, height - shape[1]), (0, width - shape[2]), (0, 0))
            return ops.pad(frames, padding)
        # Where the graph does not know the size yet, pad by the most and cut.
        most = self.multiple - 1
        padded = ops.pad(frames, ((0, 0), (0, most), (0, most), (0, 0)))
        return padded[:, :height, :width]

    def _padded(self, length: Any) -> Any:
        return (length + self.multiple - 1) // self.multiple * self.multiple

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the padded frames."""
        height, width = (None if n is None else self._padded(n) for n in shape[1:3])
        return (shape[0], height, width, shape[3])

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "multiple": self.multiple}


@_register
class DecodePeaks(keras.layers.Layer):
    """Read the strongest peak of each keypoint, refined by its neighbours' votes.

    Every cell of the patch around the strongest one votes for a position: its own
    centre plus its location refinement. The votes are averaged with the scores as
    weights, which halves the noise of the single best cell.

    Parameters
    ----------
    stride : int
        Input pixels per cell.
    reach : int
        Cells on each side of the peak that vote.
    **options
        Options of `keras.layers.Layer`.
    """

    def __init__(self, stride: int, reach: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.stride = int(stride)
        self.reach = int(reach)

    def call(self, logits: Any, offsets: Any) -> Any:
        """Decode scoremap `logits` (B, h, w, K) and `offsets` (B, h, w, 2K).

        Returns
        -------
        tensor, shape (B, K, 3)
            x, y in input pixels (integers are pixel centres) and score, 0 to 1.
        """
        logits = ops.cast(logits, "float32")
        offsets = ops.cast(offsets, "float32")
        shape = ops.shape(logits)
        height, width, keypoints = shape[1], shape[2], logits.shape[3]
        flat = ops.reshape(logits, (-1, height * width, keypoints))
        flat_x = ops.reshape(offsets[..., 0::2], (-1, height * width, keypoints))
        flat_y = ops.reshape(offsets[..., 1::2], (-1, height * width, keypoints))
        peak = ops.cast(ops.argmax(flat, axis=1), "int32")
        highest = ops.max(flat, axis=1)
        row, column = peak // width, peak % width
        votes_x, votes_y, weights = [], [], []
        for down in range(-self.reach, self.reach + 1):
            for right in range(-self.reach, self.reach + 1):
                i, j = row + down, column + right
                inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
                i, j = ops.clip(i, 0, height - 1), ops.clip(j, 0, width - 1)
                cell = ops.expand_dims(i * width + j, 1)
                logit = ops.take_along_axis(flat, cell, axis=1)[:, 0]
                # Relative to the peak, so that the weights never vanish altogether.
                score = ops.exp(ops.log_sigmoid(logit) - ops.log_sigmoid(highest))
                weights.append(score * ops.cast(inside, "float32"))
                votes_x.append(self._vote(j, ops.take_along_axis(flat_x, cell, axis=1)[:, 0]))
                votes_y.append(self._vote(i, ops.take_along_axis(flat_y, cell, axis=1)[:, 0]))
        weight = ops.stack(weights)
        total = ops.sum(weight, axis=0)
        x = ops.sum(weight * ops.stack(votes_x), axis=0) / total
        y = ops.sum(weight * ops.stack(votes_y), axis=0) / total
        return ops.stack([x, y, ops.sigmoid(highest)], axis=-1)

    def _vote(self, cell: Any, offset: Any) -> Any:
        centre = ops.cast(cell, "float32") * self.stride + (self.stride - 1) / 2
        return centre + OFFSET_SCALE * offset

    def compute_output_shape(
        self,
        logits_shape: tuple[int | None, ...],
        offsets_shape: tuple[int | None, ...],  # noqa: ARG002 - Keras matches names
    ) -> tuple[int | None, ...]:
        """Return the shape of the poses."""
        return (logits_shape[0], logits_shape[3], 3)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "stride": self.stride, "reach": self.reach}


@_register
class ToSource(keras.layers.Layer):
    """Undo `Resize` for decoded poses.

    Parameters
    ----------
    scale : float
        The scale given to `Resize`.
    **options
        Options of `keras.layers.Layer`.
    """

    def __init__(self, scale: float, **options: Any) -> None:
        super().__init__(**options)
        self.scale = float(scale)

    def call(self, poses: Any, frames: Any) -> Any:
        """Bring `poses` (B, K, 3) into the pixels of `frames` (B, H, W, C), inside the image."""
        shape = ops.shape(frames)
        axes = []
        for axis, length in ((0, shape[2]), (1, shape[1])):
            source = ops.cast(length, "float32")
            # The scaled image has a whole number of pixels, so its true scale differs a little.
            scale = ops.cast(_scaled(length, self.scale), "float32") / source
            position = (poses[..., axis] + 0.5) / scale - 0.5
            axes.append(ops.clip(position, -0.5, source - 0.5))
        return ops.stack([*axes, poses[..., 2]], axis=-1)

    def compute_output_shape(
        self,
        poses_shape: tuple[int | None, ...],
        frames_shape: tuple[int | None, ...],  # noqa: ARG002 - Keras matches names
    ) -> tuple[int | None, ...]:
        """Return the shape of the poses unchanged."""
        return poses_shape

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "scale": self.scale}
