from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_servers import FaultyProxy

from posenb import storage
from posenb.errors import StorageError
from posenb.storage import reader

DATA = bytes(index * 7 % 251 for index in range(5000))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even tiny files have many blocks."""
    monkeypatch.setattr(reader, "_BLOCK", 512)
    monkeypatch.setattr(reader, "_BLOCKS", 3)


@pytest.mark.usefixtures("small_blocks")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(DATA) + 50), st.sampled_from([0, 1, 7, 100, 511, 512, 2000, -1])
        ),
        max_size=12,
    )
)
def test_any_order_of_seeks_and_reads_gives_the_files_bytes(moves: list[tuple[int, int]]):
    storage.write_bytes("memory://reader/a", DATA)
    with storage.open_read("memory://reader/a") as stream:
        for start, count in moves:
            stream.seek(start)
            stop = None if count < 0 else start + count
            assert stream.read(count) == DATA[start:stop]


def test_a_seek_before_the_start_is_refused():
    storage.write_bytes("memory://reader/b", DATA)
    with (
        storage.open_read("memory://reader/b") as stream,
        pytest.raises(ValueError, match="before its start"),
    ):
        stream.seek(-1)


def test_a_stream_cannot_be_written():
    storage.write_bytes("memory://reader/c", DATA)
    with storage.open_read("memory://reader/c") as stream:
        assert stream.readable()
        assert not stream.writable()


@pytest.mark.parametrize("cloud", ["gs", "s3"])
def test_a_jump_to_the_index_and_back_fetches_few_blocks(
    cloud: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
):
    proxy: FaultyProxy = request.getfixturevalue(f"{cloud}_server")
    url = request.getfixturevalue(f"{cloud}_bucket") + "/clip.mp4"
    monkeypatch.setattr(reader, "_BLOCK", 1024)
    storage.write_bytes(url, DATA * 20)
    with storage.open_read(url) as stream:
        proxy.requests.clear()
        for start in (0, len(DATA) * 20 - 100, 0, 100, 200):
            stream.seek(start)
            stream.raw.read(50)  # type: ignore[attr-defined]
        fetched = [path for method, path in proxy.requests if method == "GET"]
    assert len(fetched) <= 6


@pytest.mark.slow
@pytest.mark.parametrize("cloud", ["gs", "s3"])
def test_a_stream_goes_on_after_dropped_connections(cloud: str, request: pytest.FixtureRequest):
    proxy: FaultyProxy = request.getfixturevalue(f"{cloud}_server")
    url = request.getfixturevalue(f"{cloud}_bucket") + "/clip.mp4"
    data = DATA * 3000
    storage.write_bytes(url, data)
    with proxy.failing("drop", "cut", "503", every=3), storage.open_read(url) as stream:
        assert stream.read() == data
        assert proxy.faults >= 1


def test_a_file_that_vanishes_under_the_stream_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reader, "_BLOCK", 64)
    storage.write_bytes("memory://reader/d", DATA)
    with storage.open_read("memory://reader/d") as stream:
        storage.remove("memory://reader/d")
        with pytest.raises(StorageError, match="Reading 'memory://reader/d' failed"):
            stream.read()


@pytest.mark.slow
@pytest.mark.parametrize("cloud", ["local", "gs", "s3"])
def test_a_real_video_is_demuxed_through_the_stream(
    cloud: str, shared_data: Path, request: pytest.FixtureRequest, tmp_path: Path
):
    av = pytest.importorskip("av")
    clips = [path for ending in ("mp4", "avi") for path in shared_data.rglob(f"*.{ending}")]
    if not clips:
        pytest.skip("no real video is at hand")
    clip = min(clips, key=lambda path: path.stat().st_size)
    base = str(tmp_path) if cloud == "local" else request.getfixturevalue(f"{cloud}_bucket")
    url = storage.join(base, "copied" + clip.suffix)
    storage.copy(clip, url)
    with storage.open_read(url) as stream, av.open(stream) as container:
        packets = sum(1 for packet in container.demux(video=0) if packet.size)
    with av.open(str(clip)) as container:
        assert packets == sum(1 for packet in container.demux(video=0) if packet.size)
