"""The command that serves the app to browsers."""

from __future__ import annotations

import webbrowser
from typing import Any

import typer

from posenb.app import serve
from posenb.cli.arguments import Open
from posenb.cli.browsing import at_hand
from posenb.cli.options import of_function, takes

__all__ = ["app"]


@takes(of_function(serve, ["host", "port", "limit"]))
def app(
    show: Open = None,
    **options: Any,
) -> None:
    """Serve the app for people who do not program: drop a video, see the animal tracked."""

    def ready(url: str) -> None:
        typer.echo(f"The app is at {url} (Ctrl-C ends it)")
        if at_hand() if show is None else show:
            webbrowser.open(url)

    serve(on_ready=ready, **options)
