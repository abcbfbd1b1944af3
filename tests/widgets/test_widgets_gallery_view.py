"""The gallery without a browser: what the page would say comes in, labels are put right."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import posenb as pn
from posenb._progress import silent_progress
from posenb.core import FrameName, Labels
from posenb.errors import LabelError, LabelWarning, StorageError, UnknownNameError
from posenb.project import create_project
from posenb.widgets import label_edits as edits
from posenb.widgets import label_moves as moves

NAMES = ["snout", "left ear", "right ear", "tail"]
SHAPE = np.array([40 + 0j, 20 - 12j, 20 + 12j, -60 + 0j])
SWAPPED, LONG = 5, 9


@pytest.fixture
def project(tmp_path):
    """24 frames of a mouse in two videos, one with swapped ears, one with its tail far off."""
    made = create_project(tmp_path / "reach", keypoints=NAMES, skeleton=[("snout", "tail")])
    rng = np.random.default_rng(3)
    frames = tuple(FrameName(video, f"img{n:02d}.png") for video in ("a", "b") for n in range(12))
    for frame in frames:
        path = Path(made.image_url(frame))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (240, 320, 3), np.uint8)).save(path)
    turn = np.exp(2j * np.pi * rng.random(24))[:, None]
    at = rng.uniform(100, 140, (24, 1, 2)) @ (1.2, 1j)
    points = turn * SHAPE + at + rng.normal(0, 1, (24, 4, 2)) @ (1, 1j)
    points[SWAPPED, [1, 2]] = points[SWAPPED, [2, 1]]
    points[LONG, 3] += 70
    positions = np.stack([points.real, points.imag], axis=-1)[:, None]
    made.save_labels(Labels(frames, positions, made.skeleton))
    return made


class Page:
    """What the page says, and what it was answered."""

    def __init__(self, project, **options):
        self.check = pn.check_labels(project, progress=silent_progress, **options)
        self.box = self.check.widget
        (self.gallery,) = self.box.children
        self.answers = []
        self.gallery.send = lambda told, buffers=None: self.answers.append((told, buffers))

    def say(self, do, **more):
        self.answers.clear()
        self.gallery._handle_custom_msg({"do": do, **more}, [])
        return list(self.answers)

    @property
    def seen(self):
        return self.gallery.view

    @property
    def labeller(self):
        return self.check._labeller

    def fix(self, n):
        """Open the labeller and return its state."""
        self.say("fix", frame=n)
        return self.labeller.state

    def back(self):
        self.answers.clear()
        self.box.children[1].children[0].click()
        return list(self.answers)


@pytest.fixture
def page(project):
    return Page(project)


def test_outside_a_notebook_it_tells_what_is_doubtful(project):
    check = pn.check_labels(project, progress=silent_progress)
    assert {(each.frame, each.kind) for each in check.suspects} == {
        (FrameName("a", "img05.png"), "swap"),
        (FrameName("a", "img09.png"), "shape"),
    }
    assert len(check.labels) == 24
    lines = repr(check).splitlines()
    assert lines[0] == "LabelCheck of 24 frames, 2 of them doubtful"
    assert any(line.startswith("a/img05.png: left ear and right ear seem") for line in lines)


def test_the_gallery_begins_with_what_is_doubtful(page):
    assert page.seen["only"] == "doubtful"
    assert {told["n"] for told in page.seen["frames"]} == {SWAPPED, LONG}
    assert (page.seen["doubtful"], page.seen["total"]) == (2, 24)
    page.say("show", only="all", video="b")
    assert [told["n"] for told in page.seen["frames"]] == [*range(12, 24)]
    page.say("show", only="nonsense", video="nowhere")
    assert len(page.seen["frames"]) == 24


def test_where_nothing_is_doubtful_it_begins_with_all(project):
    page = Page(project, videos="b")
    assert page.seen["only"] == "all"
    assert len(page.seen["frames"]) == 12


def test_a_tile_shows_the_part_where_the_labels_lie(page):
    ((told, (data,)),) = page.say("tiles", frames=[0, 99])
    left, top, width, height = told["box"]
    assert Image.open(io.BytesIO(data)).size == (width, height)
    for point in told["points"]:
        assert left <= point["x"] <= left + width
        assert top <= point["y"] <= top + height
    assert width / height == pytest.approx(4 / 3, rel=0.05)


def test_frames_are_looked_at_one_after_the_other(page):
    first, second = (told["n"] for told in page.seen["frames"])
    ((told, (data,)),) = page.say("open", frame=first)
    assert Image.open(io.BytesIO(data)).size == (320, 240)
    assert (told["frame"], page.seen["opened"]["n"], page.seen["position"]) == (first, first, 1)
    page.say("move", by=1)
    assert page.seen["opened"]["n"] == second
    page.say("right", frame=second)
    assert page.seen["opened"]["n"] == first
    assert page.seen["doubtful"] == 1
    page.say("right", frame=first)
    assert page.seen["opened"] is None
    assert page.seen["frames"] == []


def test_what_was_found_right_is_not_asked_again_until_its_labels_change(page, project):
    for n in (SWAPPED, LONG):
        page.say("right", frame=n)
    assert (page.seen["doubtful"], page.seen["right"], page.seen["fault"]) == (0, 2, "")
    page.check._desk.notes.close()
    again = Page(project)
    assert (again.seen["only"], again.seen["doubtful"], again.seen["right"]) == ("all", 0, 2)
    assert again.check.suspects == ()
    assert repr(again.check) == "LabelCheck of 24 frames, 0 of them doubtful, 2 found right"
    again.fix(LONG)
    again.labeller._step(lambda s: edits.place(moves.choose_cell(s, 3), 5.0, 5.0))
    again.back()
    assert {each.frame.image for each in again.check.suspects} == {"img09.png"}
    assert again.seen["right"] == 1
    again.check._desk.notes.close()
    last = Page(project)
    assert (last.seen["doubtful"], last.seen["right"]) == (1, 1)


def test_who_looks_with_older_labels_takes_nothing_back_that_was_found_right_since(page, project):
    other = Page(project)
    other.fix(LONG)
    other.labeller._step(lambda s: edits.place(moves.choose_cell(s, 3), 5.0, 5.0))
    other.back()
    other.say("right", frame=LONG)
    other.check._desk.notes.close()
    page.say("right", frame=SWAPPED)
    page.fix(SWAPPED)
    page.back()
    page.check._desk.notes.close()
    assert Page(project).seen["right"] == 2


def test_tiles_show_what_was_decided(page):
    rings = []
    for what in ("right", "doubt"):
        (tile,) = [told for told, _ in page.say(what, frame=LONG) if told["kind"] == "tile"]
        rings.append(sum(point["doubtful"] for point in tile["points"]))
    assert rings == [0, 1]


def test_where_it_cannot_be_kept_the_page_says_so(page, monkeypatch):
    def refuse(*_, **__):
        raise StorageError("the disk is full")

    monkeypatch.setattr("posenb.storage.update_bytes", refuse)
    page.say("right", frame=LONG)
    until = time.monotonic() + 10
    while "the disk is full" not in page.seen["fault"]:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_was_found_right_by_mistake_is_doubted_again(page, project):
    page.say("right", frame=LONG)
    page.say("show", only="right", video=None)
    page.say("open", frame=LONG)
    assert page.seen["opened"]["right"]
    page.say("doubt", frame=LONG)
    assert page.seen["opened"] is None
    assert page.seen["doubtful"] == 2
    page.say("doubt", frame=99)
    page.check._desk.notes.close()
    assert Page(project).seen["doubtful"] == 2


def test_a_click_opens_the_labeller_at_the_doubtful_keypoint(page):
    state = page.fix(SWAPPED)
    assert state.frames[state.frame] == FrameName("a", "img05.png")
    assert state.skeleton.keypoints[state.keypoint] == "left ear"
    assert state.viewport.magnification > 1
    middle = [side / 2 for side in state.viewport.canvas]
    near = np.abs(np.subtract(state.viewport.to_image(*middle), state.here.positions[0, 0]))
    assert near.max() < 120
    assert page.gallery.layout.display == "none"
    assert page.labeller.widget in page.box.children
    page.back()


def test_what_was_corrected_is_saved_and_no_longer_doubtful(page, project):
    state = page.fix(SWAPPED)
    left, right = state.here.positions[0, 1], state.here.positions[0, 2]
    for k, place in ((1, right), (2, left)):
        page.labeller._step(lambda s, k=k: moves.choose_cell(s, k))
        page.labeller._step(lambda s, place=place: edits.place(s, *place))
    answers = page.back()
    assert page.labeller is None
    assert page.box.children == (page.gallery,)
    assert page.gallery.layout.display is None
    saved = project.labels().positions[SWAPPED, 0]
    assert saved[1] == pytest.approx(right, abs=0.01)
    assert {told["n"] for told in page.seen["frames"]} == {LONG}
    kinds = [(told["kind"], told["frame"]) for told, _ in answers]
    assert kinds == [("tile", SWAPPED), ("large", SWAPPED)]
    assert {each.kind for each in page.check.suspects} == {"shape"}


def test_where_it_cannot_be_saved_the_labeller_stays(page, monkeypatch):
    page.fix(SWAPPED)
    monkeypatch.setattr(page.labeller.saver, "flush", lambda *_: False)
    page.back()
    assert page.labeller is not None
    assert len(page.box.children) == 3
    monkeypatch.undo()
    page.back()
    assert page.labeller is None


def test_an_image_that_goes_meanwhile_says_so(page, project):
    Path(project.image_url(FrameName("a", "img05.png"))).unlink()
    ((told, buffers),) = page.say("open", frame=SWAPPED)
    assert "img05.png" in told["fault"]
    assert buffers is None


def test_images_that_are_gone_are_left_out_and_told(project):
    Path(project.image_url(FrameName("a", "img00.png"))).unlink()
    Path(project.image_url(FrameName("b", "img03.png"))).write_bytes(b"no image")
    with pytest.warns(LabelWarning, match="2 of 24 labelled images"):
        page = Page(project)
    assert page.seen["total"] == 22


def test_the_same_image_twice_is_found(project):
    one, other = (Path(project.image_url(FrameName("b", f"img{n:02d}.png"))) for n in (2, 7))
    other.write_bytes(one.read_bytes())
    check = pn.check_labels(project, videos="b", progress=silent_progress)
    (twin,) = check.suspects
    assert (twin.kind, twin.frame.image, twin.other.image) == ("twin", "img07.png", "img02.png")


def test_names_and_empty_projects_are_told(project, tmp_path):
    with pytest.raises(UnknownNameError, match="Known: a, b"):
        pn.check_labels(project, videos="c", progress=silent_progress)
    with pytest.raises(LabelError, match="label them"):
        pn.check_labels(create_project(tmp_path / "new", keypoints=["snout"]))


def test_the_pages_for_any_browser_say_what_is_doubtful(project, tmp_path, monkeypatch):
    # Drawing 24 figures takes seconds; what is read and written is the same.
    monkeypatch.setattr("posenb.plots.labels.draw_labels", lambda *_, **__: None)
    monkeypatch.setattr("posenb.plots.style.figure_bytes", lambda *_: b"picture")
    check = pn.check_labels(project, progress=silent_progress)
    page = Path(check.save(tmp_path / "out", progress=silent_progress))
    assert page == tmp_path / "out" / "index.html"
    text = page.read_text()
    assert text.count("<small>") == 2
    assert "<small>left ear and right ear seem swapped" in text
    assert (tmp_path / "out" / "a" / "img05.png").read_bytes() == b"picture"


def test_the_gallery_shows_itself(project, monkeypatch):
    seen = []
    monkeypatch.setattr("IPython.display.display", seen.append)
    check = pn.check_labels(project, progress=silent_progress)
    check._ipython_display_()
    assert seen == [check.widget]
