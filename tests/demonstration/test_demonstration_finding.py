"""The demo: a model of the zoo finds a made mouse, and a page shows it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import posenb as pn
from posenb import storage
from posenb._progress import silent_progress
from posenb.demonstration import Demo, demo
from posenb.demonstration.animal import true_poses, walk
from posenb.errors import InvalidInputError

ALONE = """
import sys
sys.modules.update(dict.fromkeys(("keras", "tensorflow", "jax", "torch")))  # as if absent
from posenb.cli import main
sys.argv = ["posenb", "demo", sys.argv[1], "--no-open", "--quiet"]
main()
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory) -> tuple[Path, str]:
    """Folder of a demo that ran where there is no Keras, and what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "d"
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(folder)], check=True, capture_output=True, text=True
    )
    return folder, done.stdout


@pytest.fixture(scope="module")
def left(printed) -> Demo:
    return demo(printed[0], progress=silent_progress)


@pytest.mark.slow
def test_it_needs_no_keras_and_tells_where_to_look(printed):
    folder, text = printed
    assert str(folder / "report.html") in text
    assert "posenb zoo run mouse_openfield VIDEO" in text
    assert (folder / "report.html").is_file()


@pytest.mark.slow
def test_run_again_it_finds_nothing_anew(printed, left):
    before = {path: path.stat().st_mtime_ns for path in printed[0].rglob("poses.*")}
    assert before
    started = (printed[0] / "walk.mp4").stat().st_mtime_ns
    assert repr(demo(printed[0], progress=silent_progress)) == repr(left)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (printed[0] / "walk.mp4").stat().st_mtime_ns == started


@pytest.mark.slow
def test_the_poses_are_where_the_mouse_is(left):
    assert left.found > 0.75
    truth = true_poses(walk(180, 0), 30.0)
    places = [truth.skeleton.index(name) for name in left.poses.skeleton.keypoints]
    distance = np.linalg.norm(left.poses.positions - truth.positions[:, :, places], axis=-1)
    # Of a mouse 53 px long; people label the ears and tail of a real one elsewhere than drawn.
    assert np.median(distance) < 9
    assert np.median(distance[..., left.poses.skeleton.index("snout")]) < 4


@pytest.mark.slow
def test_its_files_are_ordinary_ones(left):
    poses = pn.load_poses(storage.join(left.folder, "walk_poses"))
    np.testing.assert_array_equal(poses.positions, left.poses.positions)
    assert poses.provenance["zoo"]["model"] == "mouse_openfield"


@pytest.mark.slow
@pytest.mark.browser
def test_the_page_plays_the_clip_offline(left, chrome):
    page = chrome.new_context(offline=True).new_page()
    complaints: list[str] = []
    page.on("console", lambda each: complaints.append(each.text))
    page.on("pageerror", lambda each: complaints.append(str(each)))
    page.goto(Path(left.page_url).as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    shown = page.locator("body").inner_text()
    has_clip = page.locator("video, .clip").count()
    page.context.close()
    assert complaints == []
    assert has_clip
    assert re.search(r"\bwalk\b", shown)


@pytest.mark.parametrize("name", ["thesis.txt", "report.html", "posenb.yaml"])
def test_a_folder_with_other_things_is_left_alone(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(InvalidInputError, match="a folder of its own"):
        demo(tmp_path, progress=silent_progress)
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_things_beside_those_of_a_demo_keep_it_away_too(tmp_path):
    (tmp_path / "walk.mp4").write_bytes(b"")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "a.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match="a folder of its own"):
        demo(tmp_path, progress=silent_progress)


def test_demo_is_a_verb_of_the_package_even_after_its_room_was_loaded():
    import posenb.demonstration

    assert pn.demo is posenb.demonstration.demo
    assert pn.demo_training is posenb.demonstration.demo_training
    assert callable(pn.demo)
