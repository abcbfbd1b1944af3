"""Clips that visitors bring, and a desk whose visit ends with the test."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posenb.app.desk import Desk
from posenb.app.visit import Visit
from posenb.video import open_video, write_video


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path_factory, monkeypatch) -> Path:
    """Keep cache, further models and temporary files of the tests to themselves."""
    folder = tmp_path_factory.mktemp("visits")
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("POSENB_ZOO", "")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture(scope="session")
def mouse_clip(shared_data, tmp_path_factory) -> Path:
    """Three seconds of a real mouse."""
    path = tmp_path_factory.mktemp("clips") / "m3v1.mp4"
    with open_video(shared_data / "openfield" / "videos" / "m3v1mp4.mp4") as video:
        write_video(path, (frame for _, frame in video.read(0, 90)), fps=30)
    return path


@pytest.fixture(scope="session")
def sharp_clip(shared_data, tmp_path_factory) -> Path:
    """The same mouse, as a camera of 3840 x 2160 would see it, 20 frames of it."""
    from PIL import Image

    path = tmp_path_factory.mktemp("clips") / "sharp.mp4"
    with open_video(shared_data / "openfield" / "videos" / "m3v1mp4.mp4") as video:
        frames = [frame[60:420] for _, frame in video.read(0, 20)]
    large = (Image.fromarray(frame).resize((3840, 2160)) for frame in frames)
    write_video(path, (np.asarray(frame) for frame in large), fps=30)
    return path


@pytest.fixture(scope="session")
def empty_clip(tmp_path_factory) -> Path:
    """An arena without any animal."""
    path = tmp_path_factory.mktemp("clips") / "empty.mp4"
    frame = np.full((120, 160, 3), 190, np.uint8)
    frame[:10] = 70
    write_video(path, [frame] * 8, fps=10)
    return path


@pytest.fixture
def visit() -> Iterator[Visit]:
    visit = Visit(10**9)
    yield visit
    visit.close()


@pytest.fixture
def desk(visit) -> Iterator[Desk]:
    desk = Desk(visit)
    yield desk
    desk.close()


Send = Callable[..., None]
Wait = Callable[[Callable[[dict[str, Any]], bool]], dict[str, Any]]


@pytest.fixture
def send(desk) -> Send:
    """Send a file as the page does."""

    def send_(data: bytes, name: str = "clip.mp4", kind: str = "video/mp4") -> None:
        told = {"key": "a:0", "name": name, "size": len(data), "modified": 1, "type": kind}
        asked = desk.handle({"do": "pick", "origin": "http://localhost", "files": [told]})
        while asked:
            message, _ = asked.pop(0)
            if message["ask"] == "finish":
                asked += desk.handle({"do": "finish", "key": "a:0"})
            for start, stop in message.get("spans", ()):
                piece = data[start:stop]
                digest = hashlib.sha256(piece).hexdigest()
                told = {"do": "piece", "key": "a:0", "start": start, "digest": digest}
                asked += desk.handle(told, [piece])

    return send_


@pytest.fixture
def wait(desk) -> Wait:
    """Say that the page is there until what it shows is as wanted."""

    def wait_(wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            desk.handle({"do": "tick", "agent": "a", "keys": [], "jobs": []})
            if wanted(desk.view()):
                return desk.view()
            time.sleep(0.05)
        pytest.fail(f"waited in vain: {desk.view()}")

    return wait_
