"""Damaged, truncated and false files: what can be read is read exactly, the rest is told."""

import random
import warnings
from pathlib import Path

import av
import numpy as np
import pytest
from made_clips import fingerprint, make_clip, numbered_picture, plain_pictures

from posenb.errors import StorageError, VideoError, VideoWarning
from posenb.video import open_video, probe

CONTAINERS = {
    "mp4": {"b_frames": 3, "container_options": {"movflags": "faststart"}},
    "mkv": {"b_frames": 3},
    "flv": {"b_frames": 3},
    "avi": {"b_frames": 3},
    "webm": {"codec": "libvpx-vp9"},
}


@pytest.fixture(params=CONTAINERS)
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A sound clip of 120 frames."""
    how = CONTAINERS[request.param]
    if how.get("codec", "libx264") not in av.codecs_available:
        pytest.skip(f"this build of FFmpeg has no {how['codec']}")
    return make_clip(tmp_path / f"whole.{request.param}", 120, gop=30, **how)


def cut(path: Path, share: float) -> Path:
    """Copy of `path` that ends after `share` of its bytes."""
    data = path.read_bytes()
    target = path.with_stem("cut")
    target.write_bytes(data[: int(len(data) * share)])
    return target


def spoil(path: Path, at: int, length: int, seed: int = 0) -> Path:
    """Copy of `path` with other bytes from `at` on."""
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(seed).integers(1, 255, length)
    for i, value in enumerate(noise):
        data[at + i] ^= int(value)
    target = path.with_stem("spoilt")
    target.write_bytes(bytes(data))
    return target


@pytest.mark.parametrize("share", [0.3, 0.55, 0.9, 0.98])
def test_a_truncated_video_is_read_up_to_its_last_whole_frame(whole: Path, share: float):
    expected = [fingerprint(picture) for picture in plain_pictures(whole)]
    damaged = cut(whole, share)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        video = open_video(damaged)
    with video:
        count = len(video)
        assert 0 < count <= 120
        # Every frame is the one of the same index in the whole file, none is skipped.
        assert [fingerprint(frame) for frame in video] == expected[:count]
        order = random.Random(5).sample(range(count), count)
        assert [fingerprint(video[i]) for i in order] == [expected[i] for i in order]
        assert video.times == pytest.approx(np.arange(count) / 30, abs=2e-3)
        missing = video.missing_frames
    # Reordered frames at the very end of a file without tables may go uncounted.
    assert missing == pytest.approx(120 - count, abs=0 if whole.suffix == ".mp4" else 1)
    told = [str(each.message) for each in caught if each.category is VideoWarning]
    assert len(told) == (missing > 0)
    assert all(f"{missing} of {missing + count} frames" in text for text in told)
    assert all("cut off" in text for text in told)


def test_an_mp4_that_is_cut_off_loses_only_what_was_cut(tmp_path: Path):
    how = CONTAINERS["mp4"] | {"b_frames": 0}
    whole = make_clip(tmp_path / "whole.mp4", 60, **how)
    with av.open(str(whole)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        end_of_40 = packets[39].pos + packets[39].size
    damaged = tmp_path / "cut.mp4"
    damaged.write_bytes(whole.read_bytes()[:end_of_40])
    with pytest.warns(VideoWarning, match=r"20 of 60 frames .* are missing"):
        assert probe(damaged).frame_count == 40
    damaged.write_bytes(whole.read_bytes()[: end_of_40 - 1])
    with pytest.warns(VideoWarning, match=r"21 of 60 frames .* are missing"):
        assert probe(damaged).frame_count == 39


def test_a_whole_video_is_read_without_a_warning(whole: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with open_video(whole) as video:
            assert sum(1 for _ in video.read()) == 120


@pytest.mark.parametrize("length", [6, 300])
@pytest.mark.parametrize("share", [0.35, 0.6, 0.8])
def test_flipped_bytes_in_the_middle_harm_only_their_neighbourhood(
    whole: Path, share: float, length: int
):
    expected = [fingerprint(picture) for picture in plain_pictures(whole)]
    damaged = spoil(whole, int(whole.stat().st_size * share), length)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VideoWarning)
        with open_video(damaged) as video:
            read = {i: fingerprint(frame) for i, frame in video.read()}
            assert list(read) == sorted(set(read))
            assert (np.diff(video.times) > 0).all()
        harmed = [i for i in read if i >= 120 or read[i] != expected[i]]
        if len(read) == 120:
            # Groups of 30 frames lean on nothing outside themselves, B-frames at the border apart.
            assert len(harmed) <= 66
        with open_video(damaged) as video:
            order = random.Random(6).sample(sorted(read), len(read))
            sound = [i for i in order if i < 120 and read[i] == expected[i]]
            assert all(fingerprint(video[i]) == expected[i] for i in sound)


def test_a_frame_that_cannot_be_decoded_keeps_its_index_and_is_left_out(tmp_path: Path):
    whole = make_clip(tmp_path / "whole.mp4", 60, codec="mjpeg", pixel_format="yuvj420p")
    expected = [fingerprint(picture) for picture in plain_pictures(whole)]
    with av.open(str(whole)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        start, size = packets[20].pos, packets[20].size
    data = bytearray(whole.read_bytes())
    data[start : start + size] = bytes(size)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(bytes(data))
    with open_video(damaged) as video:
        assert len(video) == 60
        with pytest.warns(VideoWarning, match="1 of 60 frames .* first is 20, the last 20"):
            read = {i: fingerprint(frame) for i, frame in video.read()}
        assert read == {i: expected[i] for i in range(60) if i != 20}
        with pytest.raises(VideoError, match=r"frame 20 of .* is damaged"):
            video[20]
        assert fingerprint(video[21]) == expected[21]
        with pytest.warns(VideoWarning, match="1 of 30 frames"):
            batches = list(video.batches(8, start=10, stop=40))
        assert [len(indices) for indices, _ in batches] == [8, 8, 8, 5]
        assert np.concatenate([indices for indices, _ in batches]).tolist() == [
            i for i in range(10, 40) if i != 20
        ]
        assert [len(frames) for _, frames in batches] == [8, 8, 8, 5]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(list(video.read(30, 60))) == 30


def test_a_damaged_first_frame_does_not_hide_the_others(tmp_path: Path):
    whole = make_clip(tmp_path / "whole.mp4", 10, codec="mjpeg", pixel_format="yuvj420p")
    expected = [fingerprint(picture) for picture in plain_pictures(whole)]
    with av.open(str(whole)) as container:
        first = next(iter(container.demux(video=0)))
        start, size = first.pos, first.size
    data = bytearray(whole.read_bytes())
    data[start : start + size] = bytes(size)
    whole.write_bytes(bytes(data))
    with open_video(whole) as video:
        assert (video.width, video.height) == (96, 64)
        assert fingerprint(video[1]) == expected[1]


def test_a_video_without_a_decodable_frame_is_refused(tmp_path: Path):
    clip = make_clip(tmp_path / "noise.mp4", 10, codec="mjpeg", pixel_format="yuvj420p")
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        start, stop = packets[0].pos, packets[-1].pos + packets[-1].size
    data = bytearray(clip.read_bytes())
    data[start:stop] = bytes(stop - start)
    clip.write_bytes(bytes(data))
    with pytest.raises(VideoError, match="none of the first 10 frames"):
        open_video(clip)


def test_an_mp4_without_its_table_is_refused_with_advice(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mp4", 60)
    with pytest.raises(VideoError, match=r"table of its frames.*untrunc"):
        open_video(cut(clip, 0.7))


def test_an_mp4_cut_off_before_its_first_frame_is_refused(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mp4", 60, container_options={"movflags": "faststart"})
    data = clip.read_bytes()
    clip.write_bytes(data[: data.index(b"mdat") + 10])
    with pytest.raises(VideoError, match=r"at least one whole frame; .* holds none of 60"):
        open_video(clip)


def test_a_video_with_no_frames_is_refused(tmp_path: Path):
    clip = tmp_path / "none.mp4"
    with av.open(str(clip), "w", options={"movflags": "empty_moov"}) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        container.start_encoding()
    with pytest.raises(VideoError):
        open_video(clip)


def test_sound_alone_is_refused(tmp_path: Path):
    clip = tmp_path / "sound.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        silence = np.zeros((1, 4410), np.float32)
        samples = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        samples.sample_rate = 44100
        container.mux(stream.encode(samples))
        container.mux(stream.encode(None))
    with pytest.raises(VideoError, match=r"must hold pictures; .* holds audio"):
        open_video(clip)


def test_a_text_file_named_mp4_is_refused(tmp_path: Path):
    clip = tmp_path / "notes.mp4"
    clip.write_text("Mouse 3 ran well today.\n" * 40)
    with pytest.raises(VideoError, match="must be in a format that FFmpeg reads"):
        open_video(clip)


def test_a_picture_named_mp4_is_refused(tmp_path: Path):
    from PIL import Image

    clip = tmp_path / "picture.mp4"
    Image.fromarray(numbered_picture(1)).save(clip, format="png")
    with pytest.raises(VideoError, match="must be in a format that FFmpeg reads"):
        open_video(clip)


def test_an_empty_file_is_refused(tmp_path: Path):
    clip = tmp_path / "empty.mp4"
    clip.touch()
    with pytest.raises(VideoError, match="is empty"):
        open_video(clip)


def test_an_absent_file_is_a_storage_error(tmp_path: Path):
    with pytest.raises(StorageError, match=r"absent\.mp4"):
        open_video(tmp_path / "absent.mp4")


@pytest.mark.parametrize(
    "script",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{0}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {0}\n",
    ],
)
def test_a_playlist_can_not_make_the_reader_open_other_files(tmp_path: Path, script: str):
    make_clip(tmp_path / "secret.mp4", 5)
    clip = tmp_path / "innocent.mp4"
    clip.write_text(script.format("secret.mp4"))
    with pytest.raises(VideoError, match="must be in a format that FFmpeg reads"):
        open_video(clip)


def test_random_damage_never_ends_in_anything_but_frames_or_a_video_error(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mp4", 30, b_frames=2)
    rng = np.random.default_rng(11)
    size = clip.stat().st_size
    for attempt in range(40):
        damaged = spoil(clip, int(rng.integers(0, size - 64)), int(rng.integers(1, 64)), attempt)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VideoWarning)
            try:
                with open_video(damaged) as video:
                    frames = [frame for _, frame in video.read()]
                    assert len(frames) <= len(video)
                    assert all(frame.shape == frames[0].shape for frame in frames)
            except VideoError:
                continue


def test_damage_in_a_file_without_seeking_is_passed_in_one_go(tmp_path: Path):
    whole = make_clip(tmp_path / "whole.mpg", 60, codec="mpeg2video", b_frames=2)
    damaged = spoil(whole, whole.stat().st_size // 2, 40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VideoWarning)
        with open_video(damaged) as video:
            read = [i for i, _ in video.read()]
            assert read == sorted(read)
            assert len(read) >= 0.9 * len(video) >= 36


def test_names_that_are_not_utf8_do_not_matter(tmp_path: Path):
    clip = tmp_path / "clip.mkv"
    with av.open(str(clip), "w") as container:
        container.metadata["title"] = "Maus XYZ"
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_picture(0))))
        container.mux(stream.encode(None))
    clip.write_bytes(clip.read_bytes().replace(b"Maus XYZ", "Mäuse Ä".encode("latin-1") + b" "))
    assert probe(clip).frame_count == 1
