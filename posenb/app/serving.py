"""Serving the app to browsers, by Voila: each visitor has a process of its own."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from posenb._optional import import_optional
from posenb.app.visit import VARIABLE, sweep
from posenb.errors import InvalidInputError

__all__ = ["serve"]

_HERE = Path(__file__).parent
_NOTEBOOK = _HERE / "voila" / "app.ipynb"
_SWEPT_EVERY = 60  # seconds
_LEFT_ALONE = 600  # seconds after which the process of a page that was closed ends


def serve(
    *,
    host: str = "localhost",
    port: int = 8866,
    limit: float = 4.0,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the app until Ctrl-C.

    Parameters
    ----------
    host : str, optional
        Address to listen at. "localhost" serves this machine alone; "0.0.0.0" everybody who
        can reach it, without a password.
    port : int, optional
        Another one near it is taken where it is in use.
    limit : float, optional
        Gigabytes that each visitor may use.
    on_ready : callable, optional
        Called with the address once it can be opened; where everybody may, with one that
        leads here from other machines, too.

    Raises
    ------
    MissingPackageError
        If Voila or the kernel are not installed.
    InvalidInputError
        If the limit is not positive.
    """
    if limit <= 0:
        raise InvalidInputError(f"A visitor needs some room; got {limit} GB. Give 1 or more.")
    voila = import_optional("voila.app", extra="app", purpose="The app")
    import_optional("ipykernel", extra="app", purpose="The app")  # Voila asks for it only later
    sweep()
    os.environ[VARIABLE] = str(int(limit * 1e9))
    _let_find_templates()
    logging.getLogger("tornado").setLevel(logging.ERROR)  # it warns of what Jupyter sets
    server = _server(voila.Voila, lambda url: on_ready and on_ready(_reachable(url)))
    server.update_config(_settings(host, port))
    server.initialize([str(_NOTEBOOK)])
    server.start()
    sweep(young=1.0)  # what processes left that had to be killed


def _server(kind: Any, on_ready: Callable[[str], object]) -> Any:
    """Return a Voila that says where it is, instead of opening a browser by itself."""
    from tornado.ioloop import PeriodicCallback

    sweeping = PeriodicCallback(sweep, 1000 * _SWEPT_EVERY)

    class Server(kind):
        def launch_browser(self) -> None:
            sweeping.start()
            on_ready(str(self.connection_url))

    return Server()


def _reachable(url: str) -> str:
    """Return an address that browsers can open; "all that this machine has" is none."""
    parts = urlsplit(url)
    if parts.hostname not in ("0.0.0.0", "::"):  # noqa: S104
        return url
    return parts._replace(netloc=f"{_own_address()}:{parts.port}").geturl()


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            any_socket.connect(("192.0.2.1", 9))  # nothing is sent; it only chooses a way out
        except OSError:
            return "localhost"
        return str(any_socket.getsockname()[0])


def _let_find_templates() -> None:
    """Let Voila find the page's template, which lies beside the notebook."""
    further = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (str(_HERE), further)))


def _settings(host: str, port: int) -> Any:
    from traitlets.config import Config

    return Config(
        {
            "Application": {"log_level": "ERROR"},
            # The page says that it was closed; it knows its process by a secret, and Voila
            # never gives it the cookie that Jupyter asks for.
            "Voila": {
                "ip": host,
                "port": port,
                "tornado_settings": {"disable_check_xsrf": True},
            },
            "VoilaConfiguration": {
                "template": "posenb",
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "file_denylist": [".*"],  # the page needs no file from here
            },
            # Results go to the page as fast as it takes them.
            "ZMQChannelsWebsocketConnection": {"limit_rate": False},
            "MappingKernelManager": {
                "cull_idle_timeout": _LEFT_ALONE,
                "cull_interval": 60,
                "cull_connected": False,
            },
        }
    )
