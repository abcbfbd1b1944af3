"""Applying a drawn variation to frames and keypoints on the device, in `keras.ops` alone."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["VaryFrames", "vary_keypoints", "warp_frames"]

_GREY = 127.5


def warp_frames(frames: Any, sizes: Any, matrix: Any, window: int) -> Any:
    """Cut rotated, scaled and mirrored windows out of frames by bilinear interpolation.

    Parameters
    ----------
    frames : tensor of uint8, shape (B, H, W, C)
        Smaller frames fill the upper left corner.
    sizes : tensor of int, shape (B, 2)
        True height and width of each frame.
    matrix : tensor, shape (B, 2, 3)
        From window pixels to frame pixels.
    window : int
        Side S of the windows.

    Returns
    -------
    tensor of float32, shape (B, S, S, C)
        Mid-grey (127.5) outside the frame.
    """
    batch, height, width, channels = ops.shape(frames)
    line = ops.arange(window, dtype="float32")
    x, y = ops.meshgrid(line, line, indexing="xy")
    x, y = ops.reshape(x, (1, -1)), ops.reshape(y, (1, -1))
    source_x = matrix[:, 0, 0:1] * x + matrix[:, 0, 1:2] * y + matrix[:, 0, 2:3]
    source_y = matrix[:, 1, 0:1] * x + matrix[:, 1, 1:2] * y + matrix[:, 1, 2:3]
    limit = ops.cast(sizes, "float32")
    inside = (
        (source_x >= -0.5)
        & (source_x <= limit[:, 1:2] - 0.5)
        & (source_y >= -0.5)
        & (source_y <= limit[:, 0:1] - 0.5)
    )
    left, top = ops.floor(source_x), ops.floor(source_y)
    right_share, low_share = source_x - left, source_y - top
    flat = ops.reshape(frames, (-1, channels))
    first = ops.reshape(ops.arange(batch, dtype="int32") * (height * width), (-1, 1))
    last_x = ops.cast(sizes[:, 1:2], "int32") - 1
    last_y = ops.cast(sizes[:, 0:1], "int32") - 1
    result = 0.0
    for down, row_share in ((0, 1 - low_share), (1, low_share)):
        row = ops.clip(ops.cast(top, "int32") + down, 0, last_y)
        for right, share in ((0, 1 - right_share), (1, right_share)):
            column = ops.clip(ops.cast(left, "int32") + right, 0, last_x)
            pixels = ops.take(flat, first + row * width + column, axis=0)
            result += ops.cast(pixels, "float32") * (row_share * share)[..., None]
    result = ops.where(inside[..., None], result, _GREY)
    return ops.reshape(result, (-1, window, window, channels))


def vary_keypoints(
    keypoints: Any, present: Any, matrix: Any, mirrored: Any, mirror_order: list[int], window: int
) -> tuple[Any, Any]:
    """Bring keypoints into window pixels, and trade left for right where mirrored.

    Parameters
    ----------
    keypoints : tensor, shape (B, K, 2)
        x, y in frame pixels; any finite number where absent.
    present : tensor, shape (B, K)
        1 or 0.
    matrix : tensor, shape (B, 2, 3)
        From window pixels to frame pixels.
    mirrored : tensor, shape (B,)
        1 or 0.
    mirror_order : list of int
        Keypoint that stands in each channel of a mirrored window.
    window : int
        Side of the windows.

    Returns
    -------
    keypoints : tensor, shape (B, K, 2)
        x, y in window pixels.
    present : tensor, shape (B, K)
        1 where the keypoint is in the window.
    """
    a, b, c = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0]
    d = matrix[:, 1, 1]
    determinant = a * d - b * c
    x = keypoints[..., 0] - matrix[:, 0, 2:3]
    y = keypoints[..., 1] - matrix[:, 1, 2:3]
    inverse = [[d, -b], [-c, a]]
    moved = ops.stack(
        [(row[0][:, None] * x + row[1][:, None] * y) / determinant[:, None] for row in inverse],
        axis=-1,
    )
    order = ops.convert_to_tensor(mirror_order, "int32")
    swap = mirrored[:, None] > 0.5
    moved = ops.where(swap[..., None], ops.take(moved, order, axis=1), moved)
    present = ops.where(swap, ops.take(present, order, axis=1), present)
    edge = window - 0.5
    inside = ops.all((moved >= -0.5) & (moved <= edge), axis=-1)
    return moved, present * ops.cast(inside, present.dtype)


class VaryFrames(keras.layers.Layer):
    """Apply a `Variation` to a batch of frames.

    Parameters
    ----------
    window : int
        Side S of the windows.
    seed : int
        Of the noise.
    **options
        Options of `keras.layers.Layer`.
    """

    def __init__(self, window: int, seed: int = 0, **options: Any) -> None:
        super().__init__(dtype="float32", **options)
        self.window = int(window)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, frames: Any, sizes: Any, variation: Any) -> Any:
        """Return windows, shape (B, S, S, C), float32, 0 to 255.

        `variation` holds tensors in the order and shapes of `Variation`.
        """
        matrix, _, gain, shift, blur, noise, patches = variation
        windows = warp_frames(frames, sizes, matrix, self.window)
        smooth = ops.average_pool(windows, 3, strides=1, padding="same")
        windows += blur[:, None, None, None] * (smooth - windows)
        windows = (windows - _GREY) * gain[:, None, None, None] + _GREY
        windows += shift[:, None, None, None]
        grain = keras.random.normal(
            (ops.shape(frames)[0], self.window, self.window, 1), seed=self.seed_generator
        )
        windows += grain * noise[:, None, None, None]
        for patch in range(patches.shape[1]):
            windows = self._hide(windows, patches[:, patch])
        return ops.clip(windows, 0.0, 255.0)

    def _hide(self, windows: Any, patch: Any) -> Any:
        line = ops.arange(self.window, dtype="float32")[None]
        across = (line >= patch[:, 0:1]) & (line < patch[:, 2:3])
        down = (line >= patch[:, 1:2]) & (line < patch[:, 3:4])
        hidden = (down[:, :, None] & across[:, None, :])[..., None]
        return ops.where(hidden, patch[:, 4, None, None, None], windows)
