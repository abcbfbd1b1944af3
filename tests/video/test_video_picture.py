"""Pictures come upright, whatever the camera noted down."""

from pathlib import Path

import av
import numpy as np
import pytest
from made_clips import make_clip, plain_pictures, turn

from posenb.video import open_video
from posenb.video.picture import PictureMaker, orientation

# a b c d of the display matrix, the facts, and the same done with NumPy.
TURNS = {
    "upright": ((1, 0, 0, 1), 0, lambda p: p),
    "a quarter": ((0, 1, -1, 0), 90, lambda p: np.rot90(p, -1)),
    "half": ((-1, 0, 0, -1), 180, lambda p: np.rot90(p, 2)),
    "three quarters": ((0, -1, 1, 0), 270, lambda p: np.rot90(p, 1)),
    "mirrored": ((-1, 0, 0, 1), 0, lambda p: p[:, ::-1]),
    "upside down": ((1, 0, 0, -1), 180, lambda p: p[::-1]),
    "transposed": ((0, 1, 1, 0), 270, lambda p: p.transpose(1, 0, 2)),
    "anti-transposed": ((0, -1, -1, 0), 90, lambda p: np.rot90(p, 2).transpose(1, 0, 2)),
}


@pytest.fixture(params=TURNS)
def turned(request: pytest.FixtureRequest, tmp_path: Path):
    matrix, rotation, upright = TURNS[request.param]
    clip = turn(make_clip(tmp_path / "clip.mp4", 12, b_frames=2), matrix)
    return clip, rotation, upright


def test_frames_come_as_displayed(turned):
    clip, rotation, upright = turned
    stored = plain_pictures(clip)
    with open_video(clip) as video:
        assert video.rotation == rotation
        assert (video.height, video.width) == upright(stored[0]).shape[:2]
        for i in (11, 0, 5):
            frame = video[i]
            assert np.array_equal(frame, upright(stored[i]))
            assert frame.flags.c_contiguous
        ((_, frames),) = video.batches(12)
        assert np.array_equal(frames, np.stack([upright(picture) for picture in stored]))


def test_a_quarter_turn_brings_the_left_edge_up(tmp_path: Path):
    # A phone held upright stores its pictures lying: their left edge is the sky.
    clip = tmp_path / "phone.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.options = {"crf": "5"}
        lying = np.zeros((64, 96, 3), np.uint8)
        lying[:, :20] = 255
        container.mux(stream.encode(av.VideoFrame.from_ndarray(lying, format="rgb24")))
        container.mux(stream.encode(None))
    turn(clip, (0, 1, -1, 0))
    with open_video(clip) as video:
        assert (video.width, video.height) == (64, 96)
        assert video[0][:15].mean() > 240
        assert video[0][25:].mean() < 15


def test_the_sign_of_our_rotation_is_that_of_pyav(turned):
    clip, rotation, _ = turned
    with av.open(str(clip)) as container:
        frame = next(container.decode(video=0))
    assert orientation(frame)[0] == rotation
    if not orientation(frame)[1]:
        assert -frame.rotation % 360 == rotation


def test_a_frame_of_another_size_is_scaled_to_the_first():
    def frame(width: int, height: int) -> av.VideoFrame:
        grey = np.full((height, width, 3), 99, np.uint8)
        return av.VideoFrame.from_ndarray(grey, format="rgb24")

    picture = PictureMaker(frame(96, 64))
    assert picture.size == (96, 64)
    assert picture(frame(48, 32)).shape == (64, 96, 3)
    assert picture(frame(96, 64)).shape == (64, 96, 3)
