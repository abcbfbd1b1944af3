import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from storage_processes import running, script
from storage_servers import FaultyProxy

from posenb import storage
from posenb.errors import StorageError
from posenb.storage import cache as cache_module
from posenb.storage import files

FETCH = """
    import sys
    from posenb.storage import cached_copy
    print(cached_copy(sys.argv[1], sys.argv[2]))
"""
STUCK = """
    import sys, time
    from posenb.storage import cache, files
    def stuck(url, path):
        path.write_bytes(b"half")
        print("ready", flush=True)
        time.sleep(60)
    cache.download = stuck
    cache.cached_copy(sys.argv[1], sys.argv[2])
"""


@pytest.fixture(params=["memory", "gs", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A remote file."""
    if request.param == "memory":
        base = f"memory://{tmp_path.name}-{id(request)}"
    else:
        base = str(request.getfixturevalue(f"{request.param}_bucket"))
    made = storage.join(base, "clip.mp4")
    storage.write_bytes(made, b"frames")
    return made


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """URLs that are really fetched."""
    fetched: list[str] = []

    def spy(url: str, path: Path) -> None:
        fetched.append(url)
        files.download(url, path)

    monkeypatch.setattr(cache_module, "download", spy)
    return fetched


def test_a_remote_file_is_fetched_once(url: str, tmp_path: Path, downloads: list[str]):
    first = storage.cached_copy(url, tmp_path)
    assert first.read_bytes() == b"frames"
    assert first.name == "clip.mp4"
    assert first.is_relative_to(tmp_path)
    assert storage.cached_copy(url, tmp_path) == first
    assert downloads == [url]


def test_a_changed_file_is_fetched_anew(url: str, tmp_path: Path, downloads: list[str]):
    old = storage.cached_copy(url, tmp_path)
    storage.write_bytes(url, b"other frames")
    new = storage.cached_copy(url, tmp_path)
    assert new.read_bytes() == b"other frames"
    assert old.read_bytes() == b"frames"
    assert len(downloads) == 2


def test_files_of_one_name_have_copies_of_their_own(url: str, tmp_path: Path):
    other = storage.join(storage.parent(url), "sub", "clip.mp4")
    storage.write_bytes(other, b"frames")
    assert storage.cached_copy(url, tmp_path) != storage.cached_copy(other, tmp_path)


def test_a_local_file_needs_no_copy(tmp_path: Path):
    (tmp_path / "clip.mp4").write_bytes(b"x")
    assert storage.cached_copy(tmp_path / "clip.mp4") == tmp_path / "clip.mp4"


def test_an_absent_file_is_not_cached(url: str, tmp_path: Path):
    with pytest.raises(StorageError, match=r"absent\.mp4"):
        storage.cached_copy(storage.join(storage.parent(url), "absent.mp4"), tmp_path)


def test_the_environment_names_the_cache(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path / "mine"))
    assert storage.cached_copy(url).is_relative_to(tmp_path / "mine")


def test_without_a_word_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch):
    from platformdirs import user_cache_path

    monkeypatch.delenv("POSENB_CACHE", raising=False)
    assert cache_module.cache_folder() == user_cache_path("posenb", appauthor=False)


def test_from_a_read_only_cache_is_taken_what_it_has_and_the_rest_is_kept_in_the_users(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, downloads: list[str]
):
    shared, own = tmp_path / "shared", tmp_path / "own"
    monkeypatch.setenv("POSENB_CACHE", str(shared))
    before = storage.cached_copy(url)  # by whoever may write there
    monkeypatch.setattr(cache_module, "_users_folder", lambda: own)
    monkeypatch.setattr(cache_module, "_is_writable", lambda folder: folder == own)
    assert storage.cached_copy(url) == before
    other = storage.join(storage.parent(url), "other.mp4")
    storage.write_bytes(other, b"more frames")
    kept = storage.cached_copy(other)
    assert kept.is_relative_to(own)
    assert storage.cached_copy(other) == kept
    assert downloads == [url, other]
    assert storage.cache_folder() == own


def test_a_cache_in_a_folder_that_forbids_writing_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "shared"
    monkeypatch.setenv("POSENB_CACHE", str(folder / "cache"))
    assert storage.cache_folder() == folder / "cache"
    folder.mkdir()
    allowed = cache_module.os.access
    monkeypatch.setattr(
        cache_module.os, "access", lambda path, mode: path != folder and allowed(path, mode)
    )
    assert storage.cache_folder() == cache_module._users_folder()


def test_a_file_that_changes_while_it_is_fetched_is_not_kept(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def overtaken(source: str, path: Path) -> None:
        storage.write_bytes(source, b"newer frames")
        files.download(source, path)

    monkeypatch.setattr(cache_module, "download", overtaken)
    with pytest.raises(StorageError, match="must stay as it is while it is read"):
        storage.cached_copy(url, tmp_path)
    assert storage.list_files(tmp_path, recursive=True) == []


def test_a_file_that_changes_while_it_is_read_is_told(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(files, "_CHUNK", 2)
    chunks = files._chunks(url)
    assert next(chunks) == b"fr"
    storage.write_bytes(url, b"ABCDEF")
    with pytest.raises(StorageError, match="must stay as it is while it is read"):
        list(chunks)


def test_threads_that_ask_at_once_share_one_fetch(url: str, tmp_path: Path, downloads: list[str]):
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(storage.cached_copy(url, tmp_path)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(downloads) == 1


@pytest.mark.slow
def test_processes_that_ask_at_once_share_one_fetch(
    gs_server: FaultyProxy, gs_bucket: str, tmp_path: Path
):
    url = storage.join(gs_bucket, "clip.mp4")
    storage.write_bytes(url, b"frames")
    gs_server.requests.clear()
    workers = [
        subprocess.Popen(script(FETCH, url, str(tmp_path)), stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = {worker.communicate(timeout=120)[0].strip() for worker in workers}
    assert len(answers) == 1
    assert Path(answers.pop()).read_bytes() == b"frames"
    fetches = [path for method, path in gs_server.requests if path.startswith("/download/")]
    assert len(fetches) == 1


@pytest.mark.parametrize("bucket", ["gs_bucket", "s3_bucket"])
def test_a_killed_fetch_leaves_no_half_copy(
    bucket: str, request: pytest.FixtureRequest, tmp_path: Path
):
    url = storage.join(request.getfixturevalue(bucket), "clip.mp4")
    storage.write_bytes(url, b"frames")
    with running(STUCK, url, str(tmp_path)) as fetcher:
        fetcher.kill()
        fetcher.wait()
    assert storage.list_files(tmp_path, recursive=True) == []
    assert storage.cached_copy(url, tmp_path).read_bytes() == b"frames"


def test_a_web_address_can_be_read_and_cached(tmp_path: Path):
    (tmp_path / "weights.onnx").write_bytes(b"0123456789" * 1000)

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/weights.onnx"
        assert storage.exists(url)
        assert not storage.exists(url + "x")
        assert storage.size(url) == 10_000
        path = storage.cached_copy(url + "?raw=1", tmp_path / "cache")
        assert path.name == "weights.onnx"
        assert path.read_bytes() == b"0123456789" * 1000
        assert storage.fingerprint(url) == storage.fingerprint(url)
    finally:
        server.shutdown()
        server.server_close()
