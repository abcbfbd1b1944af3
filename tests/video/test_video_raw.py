"""Raw frames: the planes of the decoder, upright, in arrays that are used again."""

from pathlib import Path

import av
import numpy as np
import pytest
from made_clips import as_pictures, make_clip, numbered_picture, turn

from posenb.core import FrameFormat
from posenb.errors import InvalidInputError, VideoWarning
from posenb.video import VideoReader, open_video
from posenb.video.picture import PictureMaker
from posenb.video.raw import RawMaker

TURNS = [(0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0), (-1, 0, 0, 1), (0, 1, 1, 0)]


def stored_planes(path: Path) -> list[np.ndarray]:
    """Planes of each frame as PyAV gives them, one after the other."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray().ravel() for frame in container.decode(video=0)]


def blank(pixel_format: str, *, matrix: int = 2, full: int = 0) -> av.VideoFrame:
    frame = av.VideoFrame(96, 64, pixel_format)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.colorspace, frame.color_range = matrix, full
    return frame


def raw_maker(frame: av.VideoFrame) -> RawMaker:
    return RawMaker(frame, PictureMaker(frame))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p"])
def test_planes_come_to_the_bit_as_they_were_decoded(tmp_path: Path, pixel_format: str):
    path = make_clip(tmp_path / "clip.mkv", 5, codec="ffv1", pixel_format=pixel_format)
    with open_video(path) as video:
        ((indices, frames),) = video.raw_batches(5)
        assert frames.shape == (5, video.format.nbytes)
    assert indices.tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(frames, stored_planes(path))


def test_rows_that_the_decoder_pads_come_without_padding(tmp_path: Path):
    path = make_clip(tmp_path / "clip.mkv", 3, codec="ffv1", pixel_format="yuv444p", size=(97, 63))
    with open_video(path) as video:
        assert video.format == FrameFormat("yuv444", 63, 97)
        ((_, frames),) = video.raw_batches(3)
    assert frames.shape[1] == 3 * 63 * 97
    assert np.array_equal(frames, stored_planes(path))


@pytest.mark.parametrize("matrix", TURNS)
def test_planes_are_turned_for_display(tmp_path: Path, matrix: tuple[int, int, int, int]):
    path = turn(make_clip(tmp_path / "clip.mp4", 3), matrix)
    with open_video(path) as video:
        assert video.format == FrameFormat("yuv420", video.height, video.width)
        ((_, raw),) = video.raw_batches(3)
        for number, picture in enumerate(as_pictures(raw, video.format)):
            assert np.abs(picture - video[number]).mean() < 2


def test_where_turning_planes_would_part_colours_from_pixels_it_is_rgb(tmp_path: Path):
    path = make_clip(tmp_path / "clip.mp4", 3, pixel_format="yuv422p")
    with open_video(turn(path, (0, 1, -1, 0))) as video:
        assert video.format == FrameFormat("rgb", 96, 64)
        ((_, raw),) = video.raw_batches(3)
        assert np.array_equal(raw.reshape(3, 96, 64, 3)[1], video[1])


@pytest.mark.parametrize(
    ("pixel_format", "code", "full", "expected"),
    [
        ("yuv420p", 2, 0, FrameFormat("yuv420", 64, 96, "bt601", False)),
        ("yuv420p", 1, 1, FrameFormat("yuv420", 64, 96, "bt709", False)),
        ("yuv444p", 5, 2, FrameFormat("yuv444", 64, 96, "bt601", True)),
        ("yuvj422p", 6, 0, FrameFormat("yuv422", 64, 96, "bt601", True)),
        ("yuv420p", 9, 0, FrameFormat("yuv420", 64, 96, "bt2020", False)),
        ("yuv420p", 7, 0, FrameFormat("rgb", 64, 96)),
        ("gray", 2, 1, FrameFormat("grey", 64, 96, "bt601", True)),
        ("yuv420p10le", 1, 0, FrameFormat("rgb", 64, 96)),
        ("bgr24", 2, 0, FrameFormat("rgb", 64, 96)),
    ],
)
def test_the_format_is_that_of_the_stream(pixel_format, code, full, expected):
    assert raw_maker(blank(pixel_format, matrix=code, full=full)).format == expected


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj444p", "gray", "yuv420p10le"])
@pytest.mark.parametrize("other", ["yuv444p", "rgb24"])
def test_a_frame_of_another_kind_or_size_becomes_like_the_first(pixel_format: str, other: str):
    maker = raw_maker(blank(pixel_format))
    picture = numbered_picture(5, 192, 128)
    odd = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=other)
    target = np.empty(maker.format.nbytes, np.uint8)
    maker.write(odd, target)
    (found,) = as_pictures(target[None], maker.format)
    wanted = picture[1::2, 1::2].astype(float)
    if pixel_format == "gray":
        wanted = np.repeat(wanted @ [[0.299], [0.587], [0.114]], 3, axis=-1)
    assert np.abs(found - wanted).mean() < 12


def test_arrays_that_are_given_are_written_to_and_no_other(tmp_path: Path):
    path = make_clip(tmp_path / "clip.mp4", 11)
    with open_video(path) as video:
        ring = [np.zeros((4, video.format.nbytes), np.uint8) for _ in range(2)]
        turns = iter([0, 1, 0])
        seen = []
        for indices, frames in video.raw_batches(4, out=lambda: ring[next(turns)]):
            assert any(np.shares_memory(frames, array) for array in ring)
            seen.append((indices.tolist(), frames.copy()))
        whole = np.concatenate([frames for _, frames in video.raw_batches(100)])
    assert [indices for indices, _ in seen] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]
    assert np.array_equal(np.concatenate([frames for _, frames in seen]), whole)


def test_frames_that_cannot_be_decoded_are_left_out(tmp_path: Path, monkeypatch):
    frame_of = VideoReader._frame
    monkeypatch.setattr(
        VideoReader, "_frame", lambda self, rank: None if rank in (1, 2) else frame_of(self, rank)
    )
    with (
        open_video(make_clip(tmp_path / "clip.mp4", 6)) as video,
        pytest.warns(VideoWarning, match="2 of 6 frames"),
    ):
        batches = [indices.tolist() for indices, _ in video.raw_batches(3)]
    assert batches == [[0, 3, 4], [5]]


def test_an_empty_range_gives_no_batch_and_asks_for_no_array(tmp_path: Path):
    with open_video(make_clip(tmp_path / "clip.mp4", 6)) as video:
        assert list(video.raw_batches(3, 6, out=lambda: pytest.fail("asked"))) == []
        with pytest.raises(InvalidInputError, match="size must be at least 1"):
            video.raw_batches(0)


def test_a_real_clip_has_the_colours_of_its_pictures(shared_data: Path):
    path = shared_data / "openfield/videos/m3v1mp4.mp4"
    with open_video(path) as video:
        assert video.format == FrameFormat("yuv444", 480, 640)
        ((_, raw),) = video.raw_batches(4, 1000, 1004)
        expected = np.stack([frame for _, frame in video.read(1000, 1004)])
    assert np.abs(as_pictures(raw, video.format) - expected).max() <= 1
