"""Real object-store servers on this machine, behind a proxy that can fail on purpose.

gs:// is gcp-storage-emulator and s3:// is moto's server, each a process of its own.
The proxy in front of each adds four things:

- failures: answers 503, drops a connection before or after the request was carried
  out, or cuts the answer in the middle;
- true preconditions: the gs emulator ignores ``ifGenerationMatch=0`` altogether, and
  moto checks ``If-None-Match`` and writes in two steps. The proxy lets one write
  through at a time and answers 412 itself, as the real services do;
- repeatable uploads: the real gs:// answers a finished upload again when a client
  asks again, and 499 when one is cancelled; the emulator answers 404 and 501. Of a
  session in which nothing has arrived it tells no range; the emulator tells one byte;
- pages: whoever sends an ``Origin`` is let in, as Google's JSON interface does it, unless
  `closed_to_pages` says that a network in between forbids it.

One thing the gs emulator gets wrong is left as it is: a small file whose last byte
is a carriage return arrives without it (and gcsfs tells by the checksum).
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BUCKET = "posenb-tests"
FAULTS = ("503", "drop", "lose", "cut")
_HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


Answer = tuple[int, list[tuple[str, str]], bytes]


class FaultyProxy(ThreadingHTTPServer):
    """Passes requests on to a server; counts them and fails when told to."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = port
        self.one_write = threading.Lock()
        self.requests: list[tuple[str, str]] = []
        self.finished: dict[str, Answer] = {}
        self.cancelled: set[str] = set()
        self.origins: list[str] = []  # of pages that sent bytes
        self.closed_to_pages = False
        self._every = 0
        self._kinds: tuple[str, ...] = ()
        self._count = 0
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def failing(self, *kinds: str, every: int = 1) -> Iterator[None]:
        """Let each `every`-th request fail, in the ways `kinds` by turns."""
        self._every, self._kinds, self._count = every, kinds or FAULTS, 0
        try:
            yield
        finally:
            self._every = 0

    @property
    def faults(self) -> int:
        """Number of failures since `failing` began."""
        return self._count // self._every if self._every else 0

    def next_fault(self, method: str, path: str) -> str | None:
        with self._turn:
            self.requests.append((method, path))
            if not self._every:
                return None
            self._count += 1
            turn, rest = divmod(self._count, self._every)
            return None if rest else self._kinds[turn % len(self._kinds)]

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients hang up on failures that were ordered."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyProxy

    def _pass_on(self) -> None:
        if self.command == "PUT" and "Origin" in self.headers:
            self.server.origins.append(self.headers["Origin"])
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.next_fault(self.command, self.path)
        if fault == "503":
            self._answer(503, [], b"")
            return
        if fault == "drop":
            self._hang_up()
            return
        if self.command in ("PUT", "POST", "DELETE"):
            with self.server.one_write:
                status, headers, content = self._carry_out(body)
        else:
            status, headers, content = self._carry_out(body)
        if fault == "lose":
            self._hang_up()
        else:
            self._answer(status, headers, content, cut=fault == "cut")

    def do_OPTIONS(self) -> None:
        self._answer(204, [], b"")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = _pass_on  # noqa: N815

    def _carry_out(self, body: bytes) -> Answer:
        if "upload_id=" not in self.path:
            return self._ask_upstream(body)
        session = urllib.parse.unquote(self.path)  # clients write it in several ways
        if self.command == "DELETE":
            self.server.cancelled.add(session)
        if session in self.server.cancelled:
            return 499, [], b""
        if session not in self.server.finished:
            answer = self._ask_upstream(body)
            if answer[0] != 200:
                return answer
            self.server.finished[session] = answer
        return self.server.finished[session]

    def _ask_upstream(self, body: bytes) -> Answer:
        target = self._object_that_must_be_absent(body)
        if (
            target is not None
            and self._ask("HEAD" if "/o/" not in target else "GET", target) == 200
        ):
            return 412, [], _PRECONDITION_FAILED
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        headers = answer.getheaders()
        if self.headers.get("Content-Range", "").startswith("bytes */"):
            headers = [pair for pair in headers if pair != ("Range", "bytes=0-0")]
        return answer.status, headers, content

    def _object_that_must_be_absent(self, body: bytes) -> str | None:
        if self.headers.get("If-None-Match") == "*":
            return self.path.partition("?")[0]
        path, _, query = self.path.partition("?")
        options = urllib.parse.parse_qs(query)
        if options.get("ifGenerationMatch") != ["0"]:
            return None
        if "name" in options:
            key = options["name"][0]
        else:
            key = json.loads(body.split(b"\n\n", 1)[1].split(b"\n--", 1)[0])["name"]
        return path.removeprefix("/upload") + "/" + urllib.parse.quote(key, safe="")

    def _ask(self, method: str, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() in ("host", "authorization")}
        connection.request(method, path, headers=headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def _answer(
        self, status: int, headers: list[tuple[str, str]], content: bytes, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        length = str(len(content))
        for key, value in headers:
            if key.lower() not in _HOP_HEADERS:
                self.send_header(key, value)
            elif self.command == "HEAD" and key.lower() == "content-length":
                length = value
        self.send_header("Content-Length", length)
        if "Origin" in self.headers and not self.server.closed_to_pages:
            self.send_header("Access-Control-Allow-Origin", self.headers["Origin"])
            self.send_header("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
            self.send_header("Access-Control-Allow-Headers", "Content-Range, Content-Type")
            self.send_header("Access-Control-Expose-Headers", "Range")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


_PRECONDITION_FAILED = (
    b"<Error><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you "
    b"specified did not hold</Message><Condition>If-None-Match</Condition></Error>"
)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _server(*command: str, port: int) -> Iterator[FaultyProxy]:
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_open(port, process)
        proxy = FaultyProxy(port)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()
        proxy.server_close()
    finally:
        process.kill()
        process.wait()


def _wait_until_open(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None:
                pytest.fail(f"the storage server ended with code {process.returncode}")
            time.sleep(0.1)
        else:
            return
    pytest.fail("the storage server did not start within a minute")


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


@pytest.fixture(scope="session")
def gs_server() -> Iterator[FaultyProxy]:
    """Google Cloud Storage, emulated; gs:// URLs of this process and its children go there."""
    pytest.importorskip("gcp_storage_emulator", reason="gcp-storage-emulator is not installed")
    port = _free_port()
    command = ("-m", "gcp_storage_emulator", "start", "--host", "127.0.0.1", "--port", str(port))
    options = ("--in-memory", "--quiet", "--default-bucket", BUCKET)
    with (
        _server(*command, *options, port=port) as proxy,
        _environment(STORAGE_EMULATOR_HOST=proxy.url),
    ):
        yield proxy


@pytest.fixture(scope="session")
def s3_server() -> Iterator[FaultyProxy]:
    """S3, emulated; s3:// URLs of this process and its children go there."""
    pytest.importorskip("moto.server", reason="moto's server is not installed")
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    port = _free_port()
    with _server("-m", "moto.server", "-p", str(port), "-H", "127.0.0.1", port=port) as proxy:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("PUT", f"/{BUCKET}")
        assert connection.getresponse().status == 200
        with _environment(
            AWS_ENDPOINT_URL=proxy.url,
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",
            AWS_DEFAULT_REGION="us-east-1",
        ):
            yield proxy


@pytest.fixture
def gs_bucket(gs_server: FaultyProxy) -> str:
    """URL of a fresh gs:// folder."""
    return f"gs://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture
def s3_bucket(s3_server: FaultyProxy) -> str:
    """URL of a fresh s3:// folder."""
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"
