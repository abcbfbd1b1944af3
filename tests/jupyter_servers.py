"""Real notebooks in a real browser: JupyterLab and Voila on this machine, driven by Chromium.

Three surfaces show a notebook whose cells a test gives:

- ``"lab"``: JupyterLab 4 with ipywidgets 8, from the environment that runs the tests;
- ``"voila"``: the same server's Voila, which runs all cells and shows their outputs;
- ``"colab"``: JupyterLab 3 with Colab's ipywidgets 7.7.1, from ``.venv-colab`` beside the
  checkout (``bash tests/run`` makes it).

Each environment has one server for all tests, each notebook a fresh kernel. What a test asks
of a kernel goes to the kernel itself, not through the page, so that it also works for Voila
and while the page is cut off.

    @pytest.mark.browser
    def test_something_is_shown(open_notebook):
        notebook = open_notebook(["import ipywidgets", "ipywidgets.Button(description='Go')"])
        notebook.wait_for("button:has-text('Go')").click()
        assert notebook.ask("print(1 + 1)") == "2"
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

ROOT = Path(__file__).parents[1]
COLAB = ROOT / ".venv-colab"
SCREENSHOTS = "POSENB_SCREENSHOTS"  # folder for the pictures; without it they go with the test

Surface = Literal["lab", "voila", "colab"]
Theme = Literal["light", "dark"]
OpenNotebook = Callable[..., "Notebook"]

_LAUNCH = ("--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars")
_QUIET = {
    "disabledExtensions": {
        "@jupyterlab/apputils-extension:announcements": True,
        "@jupyterlab/completer-extension:inline-completer": True,
    }
}
_OPEN = "() => Boolean(window.jupyterapp?.shell?.currentWidget?.sessionContext)"
_KERNEL = """async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    return panel.sessionContext.session.kernel.id;
}"""


@dataclass(frozen=True)
class JupyterServer:
    """A Jupyter server of one environment, with Voila beside JupyterLab where it is there."""

    url: str
    token: str
    root: Path
    runtime: Path
    environment: Path

    def ask(self, method: str, path: str) -> Any:
        """Send a request to the server's REST interface and return its answer."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def kernels(self) -> set[str]:
        """Return the identifiers of all kernels that run."""
        return {kernel["id"] for kernel in self.ask("GET", "kernels")}


@dataclass
class Notebook:
    """A notebook that is open in a page, with its kernel."""

    page: Page
    server: JupyterServer
    surface: Surface
    path: Path
    pictures: Path
    kernel: str = ""

    def run_all(self) -> None:
        """Run all cells and wait for the last one; Voila has done so already."""
        if self.surface != "voila":
            self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def start_all(self) -> None:
        """Run all cells without waiting for them."""
        self.page.evaluate(
            "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
        )

    def wait_for(self, selector: str, *, seconds: float = 60) -> Locator:
        """Wait until something that `selector` describes is visible, and return it."""
        found = self.page.locator(selector).first
        found.wait_for(state="visible", timeout=1000 * seconds)
        return found

    def screenshot(self, name: str, selector: str | None = None) -> Path:
        """Take a picture of the page, or of what `selector` describes."""
        path = self.pictures / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        target = self.page if selector is None else self.page.locator(selector).first
        target.screenshot(path=path)
        return path

    def set_theme(self, theme: Theme) -> None:
        """Change the look of JupyterLab."""
        name = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[theme]
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name
        )
        self.page.wait_for_selector(f"body[data-jp-theme-name='{name}']", state="attached")

    def ask(self, code: str, *, seconds: float = 60) -> str:
        """Run code in the kernel and return what it prints; an error there is one here."""
        from jupyter_client import BlockingKernelClient

        client = BlockingKernelClient(
            connection_file=str(self.server.runtime / f"kernel-{self.kernel}.json")
        )
        client.load_connection_file()
        client.start_channels()
        printed: list[str] = []

        def collect(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        try:
            client.wait_for_ready(timeout=seconds)
            reply = client.execute_interactive(
                code, store_history=False, timeout=seconds, output_hook=collect
            )
        finally:
            client.stop_channels()
        content = reply["content"]
        assert content["status"] == "ok", "\n".join(content.get("traceback", ()))
        return "".join(printed).strip()

    def kernel_pid(self) -> int:
        """Return the process of the kernel."""
        return int(self.ask("import os\nprint(os.getpid())"))

    def kernel_memory(self, figure: Literal["VmRSS", "VmHWM"] = "VmRSS") -> float:
        """Return the memory that the kernel holds now, or held at most, in MB."""
        status = Path(f"/proc/{self.kernel_pid()}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith(figure)]
        return int(line.split()[1]) * 1024 / 1e6

    def kill_kernel(self, before: int | None = None) -> None:
        """Kill the kernel outright and wait until the server has started it anew.

        A busy kernel answers late; who means to kill one asks for its number `before`.
        """
        before = before or self.kernel_pid()
        os.kill(before, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError, RuntimeError, AssertionError, TimeoutError):
                if self.kernel_pid() != before:
                    break
        else:
            pytest.fail("the kernel did not start again within a minute")
        self.page.wait_for_timeout(300)
        for dialog in self.page.locator(".jp-Dialog button.jp-mod-accept").all():
            dialog.click()

    def close(self) -> None:
        """Close the page and end the kernel."""
        self.page.close()
        if self.kernel:
            with suppress(urllib.error.HTTPError):  # it may have ended with the page
                self.server.ask("DELETE", f"kernels/{self.kernel}")


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": source,
            }
            for number, source in enumerate(cells)
        ],
    }
    path.write_text(json.dumps(content))


@contextmanager
def jupyter_server(environment: Path, folder: Path) -> Iterator[JupyterServer]:
    """Run a Jupyter server of `environment` whose every file lies in `folder`."""
    port, token = _free_port(), secrets.token_hex(16)
    root, runtime, config = folder / "root", folder / "runtime", folder / "config"
    for place in (root, runtime, config / "labconfig"):
        place.mkdir(parents=True)
    (config / "labconfig" / "page_config.json").write_text(json.dumps(_QUIET))
    command = [
        *(str(environment / "bin" / "python"), "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.token={token}"),
        *(f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True"),
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=_environment(environment, folder, runtime, config),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            server = JupyterServer(f"http://127.0.0.1:{port}", token, root, runtime, environment)
            _wait_until_up(server, process, folder / "server.log")
            yield server
        finally:
            _end(process)


def _environment(environment: Path, folder: Path, runtime: Path, config: Path) -> dict[str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("JUPYTER", "PYTEST", "IPYTHON")) and key != "PYTHONPATH"
    }
    return kept | {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(environment),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "POSENB_CACHE": str(folder / "cache"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(server: JupyterServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the Jupyter server ended at once:\n{log.read_text()[-3000:]}")
        with suppress(OSError):
            server.ask("GET", "status")
            return
        time.sleep(0.1)
    pytest.fail(f"the Jupyter server did not start within a minute:\n{log.read_text()[-3000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)  # ends its kernels too
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="session")
def chrome(chromium: Path) -> Iterator[Browser]:
    """Headless Chromium, one for all tests: a process has room for one Playwright only."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=[*_LAUNCH])
        yield running
        running.close()


@pytest.fixture(scope="session")
def browser(chrome: Browser) -> BrowserContext:
    """One context of Chromium, with one cache, for all notebooks."""
    return chrome.new_context()


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """JupyterLab 4 and Voila with ipywidgets 8, of the environment that runs the tests."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    with jupyter_server(Path(sys.prefix), tmp_path_factory.mktemp("jupyter")) as server:
        yield server


@pytest.fixture(scope="session")
def jupyter_colab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """JupyterLab 3 with Colab's ipywidgets 7.7.1, of the second environment."""
    if not (COLAB / "bin" / "python").exists():
        reason = "no environment with Colab's widgets: bash tests/run makes .venv-colab"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with jupyter_server(COLAB, tmp_path_factory.mktemp("jupyter-colab")) as server:
        yield server


@pytest.fixture
def open_notebook(
    browser: BrowserContext, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[OpenNotebook]:
    """Function that opens a notebook of the given cells, runs it and returns it.

    ``open_notebook(cells, surface="lab", size=(1280, 720), theme="light", run=True)``; what it
    opened is closed after the test, the kernels too.
    """
    opened: list[Notebook] = []
    pictures = Path(os.environ.get(SCREENSHOTS, tmp_path / "screenshots"))

    def open_(
        cells: Sequence[str],
        surface: Surface = "lab",
        *,
        size: tuple[int, int] = (1280, 720),
        theme: Theme = "light",
        run: bool = True,
    ) -> Notebook:
        fixture = "jupyter_colab" if surface == "colab" else "jupyter"
        server: JupyterServer = request.getfixturevalue(fixture)
        path = server.root / f"{secrets.token_hex(4)}.ipynb"
        write_notebook(path, cells)
        before = server.kernels()
        page = browser.new_page()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=theme)
        notebook = Notebook(page, server, surface, path, pictures)
        opened.append(notebook)
        place = "voila/render" if surface == "voila" else "doc/tree"
        look = f"&theme={theme}" if surface == "voila" else ""
        page.goto(f"{server.url}/{place}/{path.name}?token={server.token}{look}")
        if surface == "voila":
            (notebook.kernel,) = server.kernels() - before
        else:
            page.wait_for_function(_OPEN, timeout=60_000)
            notebook.kernel = page.evaluate(_KERNEL)
            notebook.set_theme(theme)
        if run:
            notebook.run_all()
        return notebook

    yield open_
    for notebook in opened:
        notebook.close()
