"""From the decoder's bytes to RGB in the Keras graph, compared with FFmpeg's conversion."""

from __future__ import annotations

from pathlib import Path

import av
import keras
import numpy as np
import pytest

from posenb.core import FrameFormat
from posenb.models import ToRGB

RNG = np.random.default_rng(0)
KINDS = {
    "yuv420p": ("yuv420", False),
    "yuv422p": ("yuv422", False),
    "yuv444p": ("yuv444", False),
    "yuvj420p": ("yuv420", True),
    "gray": ("grey", True),
}


def numpy_of(tensor: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def smooth_picture(height: int, width: int) -> np.ndarray:
    """Colours that change slowly, as in videos."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / a + y / b) for a, b in ((9, 17), (13, -11), (-21, 7))]
    return np.stack([127.5 + 100 * wave for wave in waves], axis=-1).astype(np.uint8)


def raw_of(frame: av.VideoFrame, layout: FrameFormat) -> np.ndarray:
    planes = [
        np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:height, :width]
        for plane, (height, width) in zip(frame.planes, layout.planes, strict=True)
    ]
    return np.concatenate([plane.ravel() for plane in planes])


def both(frame: av.VideoFrame) -> tuple[np.ndarray, np.ndarray]:
    """RGB as the layer and as FFmpeg make it."""
    kind, full = KINDS[frame.format.name]
    layout = FrameFormat(kind, frame.height, frame.width, full_range=full)
    made = numpy_of(ToRGB(layout)(raw_of(frame, layout)[None]))[0]
    return made, frame.to_ndarray(format="rgb24")


@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
@pytest.mark.parametrize("name", KINDS)
def test_colours_are_those_of_ffmpeg(name, size):
    frame = av.VideoFrame.from_ndarray(smooth_picture(*size), format="rgb24").reformat(format=name)
    made, right = both(frame)
    assert made.dtype == np.uint8
    difference = np.abs(made.astype(int) - right)
    # Where a side is odd, FFmpeg has no quick conversion and interpolates the chroma.
    interpolated = size[1] % 2 == 1 and frame.format.name[-4:] in ("420p", "422p")
    assert difference.max() <= (20 if interpolated else 3)
    assert difference.mean() <= (5 if interpolated else 1.5)


@pytest.mark.parametrize(
    "clip", ["openfield/videos/m3v1mp4.mp4", "mirror-mouse/videos/test_vid.mp4"]
)
def test_frames_of_real_clips_differ_by_no_more_than_one(shared_data: Path, clip: str):
    with av.open(str(shared_data / clip)) as container:
        frame = next(container.decode(video=0))
    made, right = both(frame)
    assert np.abs(made.astype(int) - right).max() <= 1


def test_rgb_is_only_laid_out():
    pictures = RNG.integers(0, 256, (2, 5, 7, 3), np.uint8)
    layer = ToRGB(FrameFormat("rgb", 5, 7))
    np.testing.assert_array_equal(numpy_of(layer(pictures.reshape(2, -1))), pictures)


@pytest.mark.parametrize("kind", ["rgb", "grey", "yuv420", "yuv422", "yuv444"])
@pytest.mark.parametrize("crop", [(0, 13, 0, 9), (2, 10, 4, 8), (3, 8, 1, 6), (12, 13, 8, 9)])
def test_a_crop_is_that_part_of_the_whole(kind, crop):
    layout = FrameFormat(kind, 9, 13)
    raw = RNG.integers(0, 256, (2, layout.nbytes), np.uint8)
    x1, x2, y1, y2 = crop
    whole = numpy_of(ToRGB(layout)(raw))
    layer = ToRGB(layout, crop)
    np.testing.assert_array_equal(numpy_of(layer(raw)), whole[:, y1:y2, x1:x2])
    assert layer.compute_output_shape(raw.shape) == (2, y2 - y1, x2 - x1, 3)


def test_the_matrix_is_that_of_the_format():
    raw = np.array([[81, 90, 240]], np.uint8)
    found = [
        numpy_of(ToRGB(FrameFormat("yuv444", 1, 1, matrix))(raw)).ravel().tolist()
        for matrix in ("bt601", "bt709")
    ]
    assert found[0] == [254, 0, 0]  # 8 bits hold red no better
    assert found[1][1] < found[0][1] + 30
    assert found[1] != found[0]


def test_a_layer_is_rebuilt_from_its_config():
    layer = ToRGB(FrameFormat("yuv420", 8, 8, "bt709", True), (0, 4, 0, 4))
    again = ToRGB.from_config(layer.get_config())
    assert (again.frames, again.crop) == (layer.frames, layer.crop)
