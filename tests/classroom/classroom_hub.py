"""A real JupyterHub with the classroom's configuration, and pupils that work in it.

The hub, its proxy (configurable-http-proxy) and every server and kernel are real processes;
pupils come in with name and password and run cells over a websocket, as a browser does.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests
import websocket

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "notebooks" / "classroom" / "jupyterhub_config.py"
PASSWORD = "frame by frame"  # of a hub that lives for one test
PROXY = "configurable-http-proxy"
# Tests may run as root, which a server of Jupyter's refuses unless it is told.
_AS_ROOT = """\
load_subconfig({!r})
c.Spawner.args = [*c.Spawner.args, "--allow-root"]
"""


def find_proxy() -> Path | None:
    """Return the executable of the proxy: of this environment, else of the machine."""
    own = Path(sys.prefix) / "node" / "node_modules" / ".bin" / PROXY
    found = own if own.exists() else shutil.which(PROXY)
    return None if found is None else Path(found)


def read_only_mount(folder: Path) -> list[str]:
    """Return the beginning of a command for which `folder` cannot be written to.

    What forbids root to write is a mount; all others are kept out by the folder's mode.
    """
    if os.geteuid() != 0:
        for place in (folder, *folder.rglob("*")):
            place.chmod(place.stat().st_mode & ~0o222)
        return []
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, str(folder)]


def make_repository(folder: Path, files: Mapping[str, bytes]) -> str:
    """Make a git repository, which is what a teacher's link leads to; return its URL."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    who = ("-c", "user.name=Teacher", "-c", "user.email=teacher@localhost")
    for command in (("init", "-q", "-b", "main"), ("add", "."), (*who, "commit", "-qm", "Lesson")):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder.as_uri()


@dataclass
class Hub:
    """A hub that runs."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def server(self, name: str) -> psutil.Process | None:
        """Return the process of a pupil's server."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                is_server = "jupyterhub-singleuser" in " ".join(child.cmdline())
                if is_server and child.environ().get("JUPYTERHUB_USER") == name:
                    return child
        return None


@contextmanager
def classroom(
    folder: Path, environment: Mapping[str, str], before: Sequence[str] = ()
) -> Iterator[Hub]:
    """Run a hub whose class lies in `folder`."""
    port, inner, proxy = _free_ports(3)
    found = find_proxy()
    assert found is not None
    config = folder / "as_root.py"
    config.write_text(_AS_ROOT.format(str(CONFIG)))
    command = [
        *before,
        *(sys.executable, "-m", "jupyterhub", "-f", str(config)),
        f"--JupyterHub.hub_port={inner}",
        f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy}",
    ]
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("JUPYTER", "PYTEST", "IPYTHON", "POSENB")) and key != "PYTHONPATH"
    }
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), str(found.parent), kept["PATH"]])
    own = {
        "PATH": path,
        "POSENB_CLASSROOM": str(folder),
        "POSENB_CLASSROOM_PASSWORD": PASSWORD,
        "POSENB_CLASSROOM_URL": f"http://127.0.0.1:{port}",
    }
    log = folder / "hub.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**kept, **own, **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            hub = Hub(f"http://127.0.0.1:{port}", process, log)
            _wait_until_up(hub)
            yield hub
        finally:
            _end(process)


@dataclass
class Pupil:
    """Someone with a browser."""

    hub: Hub
    name: str
    token: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return f"{self.hub.url}/user/{self.name}"

    def log_in(self, password: str = PASSWORD) -> None:
        """Type name and password."""
        page = f"{self.hub.url}/hub/login"
        self.session.get(page, timeout=60)
        form = {"username": self.name, "password": password, "_xsrf": self._xsrf()}
        self.session.post(page, data=form, timeout=60, allow_redirects=False)
        answer = self.session.post(
            f"{self.hub.url}/hub/api/users/{self.name}/tokens",
            headers={"X-XSRFToken": self._xsrf(), "Referer": f"{self.hub.url}/hub/token"},
            timeout=60,
        )
        if not answer.ok:
            raise PermissionError(f"{answer.status_code} {answer.text}")
        self.token = answer.json()["token"]

    def start(self, seconds: float = 180) -> None:
        """Wait until the own server runs."""
        place = f"{self.hub.url}/hub/api/users/{self.name}"
        self.ask("POST", f"{place}/server")
        deadline = time.monotonic() + seconds
        while not (server := self.ask("GET", place).json()["servers"].get("", {})).get("ready"):
            failed = not server or time.monotonic() > deadline
            assert not failed, f"no server:\n{self.hub.log.read_text()[-3000:]}"
            time.sleep(0.5)

    def ask(self, method: str, url: str, **content: Any) -> requests.Response:
        """Send a request with the token that the page of the own server would send."""
        headers = {"Authorization": f"token {self.token}"}
        answer = requests.request(method, url, headers=headers, timeout=180, **content)
        answer.raise_for_status()
        return answer

    def pull(self, repository: str, branch: str = "main") -> None:
        """Follow a link of nbgitpuller's, as the page behind it does."""
        query = {"repo": repository, "branch": branch}
        page = self.session.get(
            f"{self.hub.url}/hub/user-redirect/git-pull", params=query, timeout=180
        )
        assert page.ok, page.text
        assert page.url.startswith(f"{self.url}/git-pull"), page.url
        told = self.ask("GET", f"{self.url}/git-pull/api", params=query).text
        assert '"phase": "finished"' in told, told

    def run(self, cells: Sequence[str], folder: str = "", seconds: float = 600) -> list[str]:
        """Run cells in a notebook of the own server; return what each printed."""
        body = {"path": f"{folder}/n.ipynb", "type": "notebook", "name": "n.ipynb"}
        made = self.ask("POST", f"{self.url}/api/sessions", json={**body, "kernel": {}})
        kernel = made.json()["kernel"]["id"]
        address = f"{self.url}/api/kernels/{kernel}/channels".replace("http", "ws", 1)
        header = [f"Authorization: token {self.token}"]
        with closing(websocket.create_connection(address, timeout=seconds, header=header)) as line:
            return [_run(line, cell) for cell in cells]

    def _xsrf(self) -> str:
        return next(
            (each.value for each in self.session.cookies if each.name == "_xsrf" and each.value), ""
        )


class MemoryWatch(threading.Thread):
    """Reads, several times a second, how much memory each pupil's processes hold.

    Parameters
    ----------
    hub : Hub
    names : sequence of str
    """

    def __init__(self, hub: Hub, names: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self.hub, self.names = hub, names
        self.pss: dict[str, float] = {}
        self.rss: dict[str, float] = {}
        self.data: dict[str, float] = {}
        self.all = 0.0
        self._over = threading.Event()

    def run(self) -> None:
        """Keep the highest figure of each pupil, and of all together, bytes."""
        while not self._over.wait(0.5):
            found = [self._read(name) for name in self.names]
            self.all = max(self.all, sum(found))

    def stop(self) -> None:
        """Watch no longer."""
        self._over.set()
        self.join()

    def _read(self, name: str) -> float:
        server = self.hub.server(name)
        if server is None:
            return 0.0
        pss = rss = data = 0.0
        with suppress(psutil.Error):
            for each in (server, *server.children(recursive=True)):
                with suppress(psutil.Error):
                    memory = each.memory_full_info()
                    pss, rss = pss + memory.pss, rss + memory.rss
                    data = max(data, memory.data)
        self.pss[name] = max(self.pss.get(name, 0), pss)
        self.rss[name] = max(self.rss.get(name, 0), rss)
        self.data[name] = max(self.data.get(name, 0), data)
        return pss


def _run(line: websocket.WebSocket, cell: str) -> str:
    """Run one cell; an error there is one here."""
    sign = uuid.uuid4().hex
    header = {"msg_id": sign, "msg_type": "execute_request", "session": sign, "username": ""}
    content = {"code": cell, "silent": False, "store_history": True, "allow_stdin": False}
    whole = {"header": {**header, "version": "5.3"}, "parent_header": {}, "metadata": {}}
    line.send(json.dumps({**whole, "content": content, "channel": "shell", "buffers": []}))
    printed = ""
    while True:
        told = line.recv()
        if not isinstance(told, str):
            continue  # a message of a widget with pixels in it
        message = json.loads(told)
        if message["parent_header"].get("msg_id") != sign:
            continue
        kind, what = message["msg_type"], message["content"]
        if kind == "stream" and what["name"] == "stdout":
            printed += what["text"]
        elif kind == "error":
            raise RuntimeError("\n".join(what["traceback"]))
        elif kind == "status" and what["execution_state"] == "idle":
            return printed.strip()


def _wait_until_up(hub: Hub) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert hub.process.poll() is None, f"the hub ended:\n{hub.log.read_text()[-3000:]}"
        with suppress(requests.RequestException):
            if requests.get(f"{hub.url}/hub/health", timeout=5).ok:
                return
        time.sleep(0.2)
    raise AssertionError(f"the hub did not start:\n{hub.log.read_text()[-3000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the hub, which ends servers and proxy; see to it that all of them are gone."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(30)
    for each in family:
        with suppress(psutil.Error):
            each.kill()
    process.kill()
    process.wait()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
