"""The demo: it leaves what it says, goes on where it was, and harms no other project."""

import re
from pathlib import Path

import numpy as np
import pytest

import posenb as pn
from posenb import storage
from posenb._progress import silent_progress
from posenb.demonstration import TrainingDemo, demo_training
from posenb.errors import ProjectError
from posenb.project import create_project, open_project


@pytest.fixture(scope="module")
def left(tmp_path_factory) -> TrainingDemo:
    """A demo of few steps, which finds little."""
    return demo_training(tmp_path_factory.mktemp("demo") / "d", steps=3, progress=silent_progress)


@pytest.mark.slow
def test_the_demo_leaves_a_whole_project(left):
    project = open_project(left.project.url)
    assert tuple(project.videos) == ("walk",)
    assert len(project.labels()) == 30
    assert left.run.finished
    assert len(left.poses) == len(left.truth) == 180
    poses = pn.load_poses(project.poses_url("walk", left.run.name))
    np.testing.assert_array_equal(poses.positions, left.poses.positions)
    assert storage.exists(storage.join(left.run.evaluation_url, "summary.csv"))


@pytest.mark.slow
def test_labels_are_the_truth_in_the_frames_they_name(left):
    labels = left.project.labels()
    numbers = [int(frame.image.removeprefix("img").removesuffix(".png")) for frame in labels.frames]
    np.testing.assert_allclose(labels.positions, left.truth.positions[numbers], atol=1e-9)


@pytest.mark.slow
def test_the_error_is_that_of_the_frames_without_labels(left):
    unseen = np.arange(180) % 6 != 0
    distance = np.linalg.norm(left.poses.positions - left.truth.positions, axis=-1)
    assert left.error == pytest.approx(distance[unseen].mean())
    assert f"{left.error:.2f} px" in repr(left)
    assert left.page_url in repr(left)


@pytest.mark.slow
def test_run_again_it_repeats_nothing(left):
    kept = [left.run.model_url, left.project.video_url("walk")]
    before = [storage.digest(url) for url in kept]
    stamps = [Path(url).stat().st_mtime_ns for url in kept]
    again = demo_training(left.project.url, steps=3, progress=silent_progress)
    assert again.run == left.run
    assert again.error == left.error
    assert [storage.digest(url) for url in kept] == before
    assert [Path(url).stat().st_mtime_ns for url in kept] == stamps


@pytest.mark.slow
def test_another_seed_needs_another_folder(left):
    with pytest.raises(ProjectError, match=r"seed 1 needs a folder of its own.*another folder"):
        demo_training(left.project.url, seed=1, progress=silent_progress)


@pytest.mark.slow
def test_the_report_names_every_file_and_each_is_there(left):
    text = storage.read_text(left.page_url).partition("What lies where")[2]
    places = re.findall(r"<dd>(.+?)</dd>", text)
    assert len(places) == 7
    assert all(storage.exists(place) or storage.is_folder(place) for place in places)


@pytest.mark.slow
def test_the_report_begins_with_the_truth_and_ends_in_how_it_was_made(left):
    text = storage.read_text(left.page_url)
    assert left.page_url.endswith("report.html")
    assert f"<h1>{left.error:.1f} px from the truth</h1>" in text
    assert "30 of them were labelled" in text
    assert "On the 150 frames without labels." in text
    for title in ("How exact it is", "How it learned", "How the poses were made"):
        assert f"<h2>{title}</h2>" in text


@pytest.mark.slow
@pytest.mark.browser
def test_the_report_draws_the_truth_broad_below_what_was_found(left, chrome):
    page = chrome.new_context(offline=True).new_page()
    complaints: list[str] = []
    page.on("console", lambda each: complaints.append(each.text))
    page.on("pageerror", lambda each: complaints.append(str(each)))
    page.goto(Path(left.page_url).as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    assert "Broad: truth. Thin: found." in page.locator(".hint").inner_text()
    truth = page.evaluate(
        "posenb.traces.reference.count === 180 && posenb.paths.reference.values.x[0]"
    )
    assert complaints == []
    inked = "() => posenb.paths.canvases[1].getContext('2d').getImageData(0, 0, 4000, 4000)"
    inked += ".data.reduce((sum, each, n) => sum + (n % 4 === 3 && each > 0), 0)"
    with_truth = page.evaluate(inked)
    page.evaluate("() => { posenb.paths.reference = null; posenb.draw(false, null, true); }")
    without = page.evaluate(inked)
    page.context.close()
    assert truth == pytest.approx(left.truth.positions[0, 0, 0, 0], abs=1 / 32)
    assert with_truth > without + 1000


def test_a_folder_with_another_project_is_left_alone(tmp_path):
    project = create_project(tmp_path / "mine", keypoints=["snout"])
    with pytest.raises(ProjectError, match="'mine'"):
        demo_training(project.url, progress=silent_progress)
    assert sorted(p.name for p in (tmp_path / "mine").glob("[!.]*")) == ["posenb.yaml"]


@pytest.mark.slow
def test_the_demo_finds_the_mouse(tmp_path):
    found = demo_training(tmp_path / "d", progress=silent_progress)
    assert found.error < 3
    assert found.errors["p95"].iloc[-1] < 8
