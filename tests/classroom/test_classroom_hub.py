"""A class on a real JupyterHub: two pupils at once, one cache that they may only read."""

import hashlib
import json
import os
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from classroom_hub import (
    MemoryWatch,
    Pupil,
    classroom,
    find_proxy,
    make_repository,
    read_only_mount,
)

from posenb import zoo
from posenb.demonstration.animal import draw_frames, walk
from posenb.video import VideoWriter

ROOT = Path(__file__).parents[2]
NAMES = ("ada", "mary")
LESSON = [
    "import os, posenb as pn",
    "poses = pn.zoo.analyze('lesson/clip.mp4', 'class_mouse', size=0.7)",
    "print(poses.positions.tolist())",
    "import sys; print({'keras', 'tensorflow', 'jax'} & sys.modules.keys())",
    "print(pn.zoo.fetch('class_mouse'))",
    "print(os.access(os.environ['POSENB_CACHE'], os.W_OK))",
    "try:\n    bytearray(3 * 1024**3)\nexcept MemoryError:\n    print('too much')",
]


@dataclass(frozen=True)
class Lesson:
    """What was left of a lesson."""

    folder: Path
    printed: dict[str, list[str]]
    memory: MemoryWatch
    refused: dict[str, str]


class Silent(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_: object) -> None:
        return None


def write_index(folder: Path) -> None:
    """Publish the bundled mouse under another name, as a lab would its own model."""
    shutil.copytree(ROOT / "model_zoo" / "mouse_openfield", folder / "class_mouse")
    card = folder / "class_mouse" / "card.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "name": "class_mouse"}))
    digest = hashlib.sha256(card.read_bytes()).hexdigest()
    entry = {"folder": "class_mouse", "card_sha256": digest}
    index = {"version": 1, "models": {"class_mouse": entry}}
    (folder / "index.json").write_text(json.dumps(index))


def fill_cache(cache: Path, published: Path) -> str:
    """Fetch the model as the administrator does, from a server that is gone thereafter."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(published)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/index.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSENB_CACHE", str(cache))
        patch.setenv("POSENB_ZOO", url)
        zoo.fetch("class_mouse")
    server.shutdown()
    server.server_close()
    return url


def refusal(pupil: Pupil, password: str) -> str:
    try:
        pupil.log_in(password)
    except PermissionError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    """Folder of a class, and one for what comes from elsewhere."""
    if find_proxy() is None:
        reason = "no configurable-http-proxy: npm install -g configurable-http-proxy"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    pytest.importorskip("jupyterhub", reason="JupyterHub is not installed")
    mount = ["unshare", "--mount", "true"]
    if os.geteuid() == 0 and subprocess.run(mount, check=False).returncode:
        pytest.skip("root may write everywhere here: no mount can be made read-only")
    return tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("outside")


@pytest.fixture(scope="module")
def lesson(folders) -> Lesson:
    """Two pupils follow the teacher's link and run all cells at the same time."""
    folder, outside = folders
    write_index(outside / "published")
    url = fill_cache(folder / "cache", outside / "published")
    clip = outside / "clip.mp4"
    with VideoWriter(clip, fps=30) as writer:
        for frame in draw_frames(walk(6, 0), 0):
            writer.write(frame)
    link = make_repository(outside / "lesson", {"clip.mp4": clip.read_bytes()})
    with classroom(folder, {"POSENB_ZOO": url}, read_only_mount(folder / "cache")) as hub:
        refused = {
            "wrong password": refusal(Pupil(hub, "eve"), "let me in now"),
            "name": refusal(Pupil(hub, "..%2fada"), "frame by frame"),
        }
        memory = MemoryWatch(hub, NAMES)
        memory.start()

        def learn(name: str) -> list[str]:
            pupil = Pupil(hub, name)
            pupil.log_in()
            pupil.start()
            pupil.pull(link)
            return pupil.run(LESSON)

        with ThreadPoolExecutor(len(NAMES)) as pool:
            printed = dict(zip(NAMES, pool.map(learn, NAMES), strict=True))
        memory.stop()
    return Lesson(folder, printed, memory, refused)


@pytest.mark.slow
def test_all_pupils_find_the_same_mouse(lesson):
    first, second = (np.array(json.loads(lesson.printed[name][2])) for name in NAMES)
    assert first.shape == (6, 1, 4, 2)
    np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_the_model_comes_from_the_shared_cache_that_nobody_can_write_to(lesson):
    for name in NAMES:
        place, writable = lesson.printed[name][4:6]
        assert place.startswith(str(lesson.folder / "cache" / "zoo" / "class_mouse-"))
        assert writable == "False"
        own = lesson.folder / "pupils" / name / ".cache" / "posenb"
        assert [each.name for each in own.iterdir()] == ["video-index"]


@pytest.mark.slow
def test_no_backend_is_loaded(lesson):
    assert {lesson.printed[name][3] for name in NAMES} == {"set()"}


@pytest.mark.slow
def test_each_pupil_has_a_folder_that_is_closed_to_other_accounts(lesson):
    for name in NAMES:
        folder = lesson.folder / "pupils" / name
        assert folder.stat().st_mode & 0o077 == 0
        assert (folder / "lesson" / "clip_poses" / "class_mouse" / "poses.h5").is_file()
    assert sorted(each.name for each in (lesson.folder / "pupils").iterdir()) == sorted(NAMES)


@pytest.mark.slow
def test_who_asks_for_too_much_memory_does_not_get_it(lesson):
    assert {lesson.printed[name][6] for name in NAMES} == {"too much"}
    assert all(50e6 < lesson.memory.pss[name] < 1e9 for name in NAMES)
    assert all(lesson.memory.data[name] < 2 * 1024**3 for name in NAMES)


@pytest.mark.slow
def test_a_wrong_password_and_a_name_that_is_a_path_are_refused(lesson):
    assert lesson.refused["wrong password"].startswith("403")
    assert lesson.refused["name"].startswith("403")


@pytest.mark.slow
def test_the_password_stays_with_the_hub(lesson):
    assert "frame by frame" not in (lesson.folder / "hub.log").read_text()
    assert (lesson.folder / "hub").stat().st_mode & 0o077 == 0
