"""What tests and the benchmark of the uploader do in a notebook."""

import hashlib
import struct
from pathlib import Path

import numpy as np
from jupyter_servers import Notebook

from posenb import storage
from posenb.video import write_video

__all__ = ["arrived", "choose", "make_clip", "make_video", "show", "wait_until_some_came"]

SHOW = """
import os
os.environ.update({environment!r})
from posenb.widgets import upload
uploader = upload({url!r})
uploader
"""


def make_clip(path: Path) -> bytes:
    """Write a small video and return its content."""
    across = np.broadcast_to(np.linspace(40, 220, 160), (120, 160)).astype(np.uint8)
    blue = np.full_like(across, 90)
    frames = [np.dstack([across, np.roll(across, 8 * n, axis=1), blue]) for n in range(20)]
    write_video(path, np.stack(frames), fps=10)
    return path.read_bytes()


def make_video(path: Path, clip: bytes, size: int) -> str:
    """Write a video of `size` bytes, most of which players skip; return its SHA-256."""
    rest = size - len(clip) - 8
    generator = np.random.default_rng(size)
    total = hashlib.sha256()
    with path.open("wb") as stream:
        for head in (clip, struct.pack(">I4s", rest + 8, b"free")):
            stream.write(head)
            total.update(head)
        while rest:
            data = generator.bytes(min(rest, 2**22))
            stream.write(data)
            total.update(data)
            rest -= len(data)
    return total.hexdigest()


def show(url: str, **environment: str) -> str:
    return SHOW.format(url=url, environment=environment)


def choose(notebook: Notebook, *paths: Path) -> None:
    notebook.wait_for(".pnb-up-choose")
    notebook.page.locator(".pnb-up input[type=file]").set_input_files([str(p) for p in paths])


def wait_until_some_came(notebook: Notebook, share: int) -> None:
    """Wait until `share` percent have arrived."""
    notebook.page.wait_for_function(
        "share => document.querySelector('.pnb-up-bar')?.getAttribute('aria-valuenow') >= share",
        arg=share,
        timeout=60_000,
    )


def arrived(project: str, name: str) -> str:
    return storage.digest(storage.join(project, "videos", name))
