"""Videos in object stores: only what is needed is fetched."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from made_clips import make_clip, number_of, numbered_picture

from posenb import storage
from posenb.errors import InvalidInputError, StorageError
from posenb.storage.remote import RemoteStore
from posenb.video import open_video, probe, write_video

MIB = 2**20


@pytest.fixture(params=["memory", "gs", "s3"])
def folder(request: pytest.FixtureRequest) -> str:
    """An empty folder in a store."""
    if request.param == "memory":
        url = "memory://videos"
        storage.remove(url, recursive=True)
        return url
    return storage.join(request.getfixturevalue(f"{request.param}_bucket"), "videos")


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """URL and number of bytes of each range that is fetched."""
    ranges: list[tuple[str, int]] = []
    read = RemoteStore.read

    def counted(self: RemoteStore, url: str, start: int, stop: int | None) -> bytes:
        data = read(self, url, start, stop)
        ranges.append((url, len(data)))
        return data

    monkeypatch.setattr(RemoteStore, "read", counted)
    return ranges


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MP4 of 60 MiB whose table is at its end, as cameras write it."""
    path = tmp_path_factory.mktemp("large") / "large.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 1024, 768, "yuvj420p"
        stream.codec_context.options = {"qmin": "1", "qmax": "1"}
        stream.codec_context.qmin = stream.codec_context.qmax = 1
        noise = np.random.default_rng(0).integers(0, 255, (768, 1024, 3), np.uint8)
        number = written = 0
        while written < 60 * MIB:
            picture = noise.copy()
            picture[:256] = numbered_picture(number, 1024, 1024)[:256]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            packets = stream.encode(frame)
            container.mux(packets)
            written += sum(packet.size for packet in packets)
            number += 1
        container.mux(stream.encode(None))
    return path


def put(path: Path, folder: str) -> str:
    url = storage.join(folder, path.name)
    storage.copy(path, url)
    return url


def test_a_video_is_read_where_it_lies(folder: str, tmp_path: Path):
    url = put(make_clip(tmp_path / "clip.mp4", b_frames=2), folder)
    with open_video(url) as video:
        assert video.url == url
        assert [number_of(video[i]) for i in (39, 0, 17)] == [39, 0, 17]
        assert [number_of(frame) for frame in video] == list(range(40))


def test_a_few_frames_of_a_large_video_cost_a_few_ranges(
    large: Path, folder: str, fetched: list[tuple[str, int]]
):
    url = put(large, folder)
    fetched.clear()
    with open_video(url) as video:
        count = len(video)
        opening = sum(size for _, size in fetched)
        assert number_of(video[count // 2]) == count // 2
    assert 0 < opening <= 25 * MIB
    assert sum(size for _, size in fetched) <= 40 * MIB < large.stat().st_size


def test_the_second_opening_fetches_less(large: Path, fetched: list[tuple[str, int]]):
    storage.remove("memory://videos", recursive=True)
    url = put(large, "memory://videos")
    sums = []
    for _ in range(2):
        fetched.clear()
        probe(url)
        sums.append(sum(size for _, size in fetched))
    assert sums[1] <= sums[0] <= 25 * MIB


def test_nothing_is_downloaded_to_this_machine(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index_folder: Path
):
    url = put(make_clip(tmp_path / "clip.mkv"), folder)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "elsewhere"))
    with open_video(url) as video:
        assert number_of(video[33]) == 33
    assert not (tmp_path / "elsewhere").exists()
    assert [path.suffix for path in index_folder.iterdir()] == [".npz"]


def test_a_replaced_video_is_seen_anew(folder: str, tmp_path: Path):
    url = put(make_clip(tmp_path / "clip.mp4", 10), folder)
    assert probe(url).frame_count == 10
    put(make_clip(tmp_path / "clip.mp4", 25), folder)
    with open_video(url) as video:
        assert len(video) == 25
        assert number_of(video[24]) == 24


def test_a_video_is_written_into_a_store(folder: str):
    url = storage.join(folder, "made.mp4")
    write_video(url, [numbered_picture(i) for i in range(12)], 30)
    with open_video(url) as video:
        assert [number_of(frame) for frame in video] == list(range(12))


def test_an_error_while_writing_leaves_nothing_in_the_store(folder: str):
    url = storage.join(folder, "broken.mp4")
    with pytest.raises(InvalidInputError):
        write_video(url, [numbered_picture(0), numbered_picture(1, 48, 48)], 30)
    assert not storage.exists(url)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_failing_network_is_told_and_never_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    url = put(make_clip(tmp_path / name, 60, b_frames=2), "memory://videos")
    state = {"down": False}
    fetch = storage.open_read

    def open_read(url: str) -> io.BytesIO:
        content = fetch(url).read()

        class Line(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if state["down"]:
                    raise StorageError("the line is down")
                return super().read(min(size or -1, 500))

        return Line(content)

    monkeypatch.setattr(storage, "open_read", open_read)
    state["down"] = True
    with pytest.raises(StorageError, match="the line is down"):
        open_video(url)
    state["down"] = False
    with open_video(url) as video:
        for order in ((5, 6, 7), (40, 3, 59), (0, 1, 30)):
            state["down"] = True
            with pytest.raises(StorageError, match="the line is down"):
                [frame for _, frame in video.read(20)]
            state["down"] = False
            assert [number_of(video[i]) for i in order] == list(order)
        assert [number_of(frame) for frame in video] == list(range(60))
