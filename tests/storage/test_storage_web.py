import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from posenb import storage
from posenb.errors import MissingPackageError, StorageError
from posenb.video import open_video

CONTENT = bytes(range(256)) * 40


class _Plain(BaseHTTPRequestHandler):
    """Sends the whole content, whatever part of it was asked for."""

    tells_size = True

    def do_HEAD(self) -> None:
        self.send_response(200)
        if self.tells_size:
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        return None


class _Silent(_Plain):
    tells_size = False


@pytest.fixture
def web(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a file on a server of the kind that the test names."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), request.param)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/clip.mp4"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("web", [_Silent], indirect=True)
def test_a_file_whose_server_keeps_its_size_to_itself_is_not_taken_for_empty(
    web: str, tmp_path: Path
):
    assert storage.exists(web)
    assert storage.read_bytes(web) == CONTENT
    for fetch in (
        storage.size,
        storage.digest,
        storage.open_read,
        lambda url: storage.copy(url, tmp_path / "copy.mp4"),
        lambda url: storage.cached_copy(url, tmp_path / "cache"),
        open_video,
    ):
        with pytest.raises(StorageError, match=r"no Content-Length\). Download it yourself"):
            fetch(web)
    assert not (tmp_path / "copy.mp4").exists()
    assert storage.list_files(tmp_path / "cache", recursive=True) == []


@pytest.mark.parametrize("web", [_Plain], indirect=True)
def test_a_server_that_knows_no_ranges_gives_the_part_that_was_asked_for(web: str):
    assert storage.size(web) == len(CONTENT)
    assert storage.read_bytes(web, 5, 9) == CONTENT[5:9]
    assert storage.read_bytes(web, 0, 3) == CONTENT[:3]
    assert storage.read_bytes(web, len(CONTENT) - 2, len(CONTENT) + 9) == CONTENT[-2:]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_without_aiohttp_a_web_address_says_what_to_install(
    scheme: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(MissingPackageError, match=f"{scheme}:// .*: pip install aiohttp$"):
        storage.exists(f"{scheme}://lab.org/clip.mp4")
