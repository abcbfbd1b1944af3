"""Written videos play in browsers, look like what was given, and are there whole or not at all."""

import os
import signal
import subprocess
import sys
import textwrap
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from made_clips import number_of, numbered_picture

from posenb.errors import InvalidInputError, VideoError
from posenb.video import VideoWriter, open_video, probe, write_video


def pictures(count: int, width: int = 96, height: int = 64) -> list[np.ndarray]:
    return [numbered_picture(i, width, height) for i in range(count)]


def smooth_picture(width: int = 96, height: int = 64) -> np.ndarray:
    """All colours without sharp edges, which yuv420p could not keep."""
    rows, columns = np.mgrid[:height, :width]
    red, green = 255 * columns / (width - 1), 255 * rows / (height - 1)
    return np.stack([red, green, 255 - (red + green) / 2], axis=-1).astype(np.uint8)


def write_and_fail(path: Path, frames: list[np.ndarray]) -> None:
    with VideoWriter(path, fps=30) as writer:
        for frame in frames:
            writer.write(frame)
        raise KeyError


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / error))


def top_boxes(path: Path) -> list[bytes]:
    data, kinds, at = path.read_bytes(), [], 0
    while at < len(data):
        kinds.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4], "big")
    return kinds


def test_what_is_written_is_what_browsers_play(tmp_path: Path):
    path = tmp_path / "clip.mp4"
    write_video(path, pictures(30), 30)
    boxes = top_boxes(path)
    assert boxes.index(b"moov") < boxes.index(b"mdat")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        frame = next(container.decode(stream))
        assert (frame.colorspace, frame.color_range) == (6, 1)


def test_what_is_written_is_read_again(tmp_path: Path):
    path = tmp_path / "clip.mp4"
    write_video(path, iter(pictures(75)), 25)
    with open_video(path) as video:
        assert len(video) == 75
        assert video.fps == 25
        assert video.duration == pytest.approx(3)
        assert video.times == pytest.approx(np.arange(75) / 25)
        assert [number_of(video[i]) for i in (74, 0, 31)] == [74, 0, 31]
        assert np.diff(video.keyframes).max() <= 25


@pytest.mark.parametrize("size", [(96, 64), (1280, 720)])
def test_colours_are_kept(tmp_path: Path, size: tuple[int, int]):
    path = tmp_path / "clip.mp4"
    picture = smooth_picture(*size)
    write_video(path, [picture] * 3, 30)
    with open_video(path) as video:
        assert psnr(video[1], picture) > 38


def test_a_lower_crf_is_closer(tmp_path: Path):
    found = []
    for crf in (10, 40):
        path = tmp_path / f"{crf}.mp4"
        with VideoWriter(path, fps=30, crf=crf) as writer:
            for picture in pictures(10):
                writer.write(picture)
        with open_video(path) as video:
            found.append(psnr(video[5], numbered_picture(5)))
    assert found[0] > found[1] + 5


@pytest.mark.parametrize("size", [(97, 64), (96, 63), (97, 63), (1, 1)])
def test_odd_sides_grow_by_a_repeated_line(tmp_path: Path, size: tuple[int, int]):
    width, height = size
    path = tmp_path / "clip.mp4"
    picture = smooth_picture(98, 64)[:height, :width]
    write_video(path, [picture] * 2, 30)
    with open_video(path) as video:
        assert (video.width, video.height) == (width + width % 2, height + height % 2)
        frame = video[0].astype(int)
    assert np.abs(frame[:height, :width] - picture).max() < 40
    assert np.abs(frame[:, -1] - frame[:, width - 1]).max() < 12
    assert np.abs(frame[-1] - frame[height - 1]).max() < 12


@pytest.mark.parametrize(
    "fps", [1, 0.5, 29.97, 250, 1000, Fraction(30000, 1001), 1_000_000 / 33_333]
)
def test_the_frame_rate_is_kept(tmp_path: Path, fps: float | Fraction):
    path = tmp_path / "clip.mp4"
    write_video(path, pictures(5), fps)
    info = probe(path)
    assert info.fps == pytest.approx(float(fps), rel=1e-5)
    assert info.times == pytest.approx(np.arange(5) / float(fps), rel=1e-4)


def test_an_error_inside_leaves_nothing_behind(tmp_path: Path):
    with pytest.raises(KeyError):
        write_and_fail(tmp_path / "out" / "clip.mp4", pictures(20))
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_an_error_before_the_first_frame_leaves_nothing_behind(tmp_path: Path):
    with pytest.raises(KeyError):
        write_and_fail(tmp_path / "clip.mp4", [])
    assert list(tmp_path.iterdir()) == []


def test_an_error_keeps_the_video_that_was_there(tmp_path: Path):
    path = tmp_path / "clip.mp4"
    write_video(path, pictures(5), 30)
    before = path.read_bytes()
    with pytest.raises(KeyError):
        write_and_fail(path, pictures(2))
    assert path.read_bytes() == before


def test_a_kill_in_the_middle_leaves_no_video(tmp_path: Path):
    path = tmp_path / "clip.mp4"
    script = textwrap.dedent(
        """
        import os, signal, sys
        import numpy as np
        from posenb.video import VideoWriter
        with VideoWriter(sys.argv[1], fps=30) as writer:
            for number in range(100):
                writer.write(np.full((64, 96, 3), number, np.uint8))
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()


def test_no_frames_make_no_video(tmp_path: Path):
    path = tmp_path / "clip.mp4"
    with pytest.raises(VideoError, match="at least one frame"):
        write_video(path, [], 30)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_video_is_replaced(tmp_path: Path):
    path = tmp_path / "clip.mp4"
    write_video(path, pictures(5), 30)
    write_video(path, pictures(8), 30)
    assert probe(path).frame_count == 8


def test_a_bitrate_bounds_the_size_of_what_hardly_compresses(tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 255, (90, 64, 96, 3), np.uint8)
    sizes = {}
    for bitrate in (None, 200):
        path = tmp_path / f"{bitrate}.mp4"
        with VideoWriter(path, fps=30, bitrate=bitrate) as writer:
            for frame in noise:
                writer.write(frame)
        sizes[bitrate] = path.stat().st_size
    assert sizes[200] <= (3 + 2) * 200_000 / 8  # three seconds and a full buffer
    assert sizes[None] > 3 * sizes[200]


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((64, 96), np.uint8),
        np.zeros((64, 96, 4), np.uint8),
        np.zeros((64, 96, 3), np.float32),
        np.zeros((0, 96, 3), np.uint8),
    ],
)
def test_a_frame_must_be_rgb_in_bytes(tmp_path: Path, frame: np.ndarray):
    with (
        pytest.raises(InvalidInputError, match=r"uint8 RGB array of shape \(H, W, 3\)"),
        VideoWriter(tmp_path / "clip.mp4", fps=30) as writer,
    ):
        writer.write(frame)
    assert list(tmp_path.iterdir()) == []


def test_all_frames_must_be_of_one_size(tmp_path: Path):
    frames = [numbered_picture(0), numbered_picture(1, 98, 64)]
    with pytest.raises(InvalidInputError, match=r"shape \(64, 96, 3\); got uint8 of shape"):
        write_video(tmp_path / "clip.mp4", frames, 30)
    assert list(tmp_path.iterdir()) == []


def test_a_given_size_is_insisted_on(tmp_path: Path):
    with (
        pytest.raises(InvalidInputError, match=r"shape \(48, 32, 3\)"),
        VideoWriter(tmp_path / "clip.mp4", fps=30, size=(32, 48)) as writer,
    ):
        writer.write(numbered_picture(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 0}, "fps must be"),
        ({"fps": -5}, "fps must be"),
        ({"fps": float("nan")}, "fps must be"),
        ({"fps": float("inf")}, "fps must be"),
        ({"fps": 1e-6}, "fps must be"),
        ({"fps": 30, "crf": 52}, "crf must lie between 0 and 51"),
        ({"fps": 30, "crf": -1}, "crf must lie between 0 and 51"),
        ({"fps": 30, "size": (0, 5)}, "size must be positive"),
        ({"fps": 30, "preset": "warp"}, "preset must be one of"),
        ({"fps": 30, "bitrate": 0}, "bitrate must be at least 1"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path: Path, options: dict[str, object], message: str):
    with pytest.raises(InvalidInputError, match=message):
        VideoWriter(tmp_path / "clip.mp4", **options)


def test_frames_are_written_only_inside_the_with_block(tmp_path: Path):
    writer = VideoWriter(tmp_path / "clip.mp4", fps=30)
    with pytest.raises(VideoError, match="only inside 'with VideoWriter"):
        writer.write(numbered_picture(0))
    with writer:
        writer.write(numbered_picture(0))
        assert writer.count == 1
    with pytest.raises(VideoError, match="only inside 'with VideoWriter"):
        writer.write(numbered_picture(1))


def test_a_view_of_an_array_is_written_as_it_looks(tmp_path: Path):
    path = tmp_path / "clip.mp4"
    picture = smooth_picture()
    write_video(path, [picture[::-1, ::-1]] * 2, 30)
    with open_video(path) as video:
        assert psnr(video[0], picture[::-1, ::-1]) > 38


def test_the_given_frame_is_not_changed(tmp_path: Path):
    picture = smooth_picture(97, 63)
    before = picture.copy()
    write_video(tmp_path / "clip.mp4", [picture], 30)
    assert np.array_equal(picture, before)
