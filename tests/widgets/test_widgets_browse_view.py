"""The widget is a thin shell: messages reach the desk, answers the page."""

import numpy as np
import pytest
from browse_samples import make_poses, make_project

from posenb.core import FrameName, Labels
from posenb.errors import InvalidInputError, PosenbError, ProjectError, StorageError, VideoError
from posenb.labels import write_poses
from posenb.widgets import Browser, LabelView, browse
from posenb.widgets.browse_view import _Page
from posenb.widgets.label_edits import place


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


@pytest.fixture
def browser(project):
    made = browse(make_poses(), project.video_url("walk"), project=project)
    yield made
    made.close()


def page(browser):
    return browser.widget.children[0]


def hear(browser, monkeypatch, **message):
    sent = []
    monkeypatch.setattr(
        page(browser), "send", lambda told, buffers=None: sent.append((told, buffers))
    )
    page(browser)._handle_custom_msg(message, [])
    return sent


def test_it_takes_poses_or_where_they_lie(project, tmp_path):
    table = write_poses(tmp_path / "walk", make_poses())
    for given in (make_poses(), table):
        browser = browse(given, project.video_url("walk"), project=project.url)
        assert isinstance(browser, Browser)
        assert len(browser.poses) == 60
        assert page(browser).view["project"] == project.name
        browser.close()


def test_messages_go_to_the_desk_and_answers_to_the_page(browser, monkeypatch):
    ((told, buffers),) = hear(browser, monkeypatch, do="frames", page="a", rows=[3])
    assert (told["told"], told["row"]) == ("frame", 3)
    assert buffers[0].startswith(b"\xff\xd8")


def test_marks_reach_the_page_and_whoever_asks(browser, monkeypatch):
    for frame in (40, 7):
        assert hear(browser, monkeypatch, do="mark", frame=frame) == []
    assert browser.marked == (7, 40)
    assert [mark["frame"] for mark in page(browser).view["marks"]] == [7, 40]


def test_taken_frames_are_labelled_with_the_poses_as_a_start(browser, monkeypatch):
    for message in ({"do": "mark", "frame": 7}, {"do": "take"}):
        hear(browser, monkeypatch, **message)
    view = browser.label()
    assert isinstance(view, LabelView)
    assert [frame.image for frame in view.state.frames] == ["img07.png"]
    assert np.array_equal(view.state.suggestions[0].positions, browser.poses.positions[7])
    view.close()


def test_only_the_marked_frames_are_labelled_also_those_that_were_labelled_before(
    browser, project, monkeypatch
):
    for frame in (7, 9, 30):
        hear(browser, monkeypatch, do="mark", frame=frame)
    hear(browser, monkeypatch, do="take")
    shown = np.full((1, 1, 2, 2), 9.0)
    project.save_labels(Labels((FrameName("walk", "img07.png"),), shown, project.skeleton))
    hear(browser, monkeypatch, do="unmark", frame=9)
    view = browser.label()
    assert [frame.image for frame in view.state.frames] == ["img07.png", "img30.png"]
    view.close()


def test_a_button_opens_the_labeller_in_the_pages_place_and_another_leads_back(
    browser, project, monkeypatch
):
    for frame in (7, 30):
        hear(browser, monkeypatch, do="mark", frame=frame)
    for _ in range(2):  # a second click before the labeller is there changes nothing
        hear(browser, monkeypatch, do="label")
    shown, bar, labeller = browser.widget.children
    assert shown is page(browser)
    assert shown.layout.display == "none"
    assert bar.children[1].value == "2 marked frames of walk.mp4"
    state = browser._labeller.state
    assert [frame.image for frame in state.frames] == ["img07.png", "img30.png"]
    assert labeller is browser._labeller.widget
    browser._labeller._step(lambda state: place(state, 4.0, 5.0))
    bar.children[0].click()
    assert browser.widget.children == (page(browser),)
    assert shown.layout.display is None
    states = {mark["frame"]: mark["state"] for mark in shown.view["marks"]}
    assert states == {7: "labelled", 30: "image"}
    assert project.labels().positions[0, 0, 0].tolist() == [4.0, 5.0]


def test_the_labeller_stays_where_its_labels_cannot_be_saved(browser, monkeypatch):
    hear(browser, monkeypatch, do="mark", frame=7)
    hear(browser, monkeypatch, do="label")
    labeller = browser._labeller
    monkeypatch.setattr(labeller.saver, "flush", lambda: False)
    browser.widget.children[1].children[0].click()
    assert browser.widget.children[2] is labeller.widget


def test_marks_outlive_the_kernel(project, monkeypatch):
    for frames in ((40, 7), (12,)):
        browser = browse(make_poses(), project.video_url("walk"), project=project)
        for frame in frames:
            hear(browser, monkeypatch, do="mark", frame=frame)
        browser.close()
    browser = browse(make_poses(), project.video_url("walk"), project=project)
    assert browser.marked == (7, 12, 40)
    assert repr(browser) == "Browser of walk.mp4, 60 frames, marked: 7, 12, 40"
    browser.close()


def test_without_a_project_there_is_nothing_to_label(project):
    browser = browse(make_poses())
    with pytest.raises(ProjectError, match="project=project"):
        browser.label()


def test_before_any_frame_was_taken_there_is_nothing_to_label(browser):
    with pytest.raises(PosenbError):
        browser.label()


def test_the_page_brings_its_scripts_in_the_order_in_which_they_lean_on_each_other():
    order = ["class Recording", "function drawCurve", "function make(", "class Stage"]
    order += ["class Timeline", "class Pictures", "class Layout", "class Page", "export default"]
    places = [_Page._esm.index(part) for part in order]
    assert places == sorted(places)
    assert _Page._esm.count("export default") == 1


def test_the_widget_itself_holds_no_poses_that_a_notebook_would_save(browser):
    assert "poses" not in page(browser).get_state()
    assert len(str(page(browser).get_state()["view"])) < 1000


# --- refused ------------------------------------------------------------------------------------


def test_poses_without_a_frame_are_refused(project):
    with pytest.raises(InvalidInputError, match="at least one frame"):
        browse(make_poses(0), project.video_url("walk"))


@pytest.mark.parametrize("cutoff", [-0.1, 1.5, float("nan")])
def test_a_cut_off_is_a_likelihood(cutoff):
    with pytest.raises(InvalidInputError, match="0 to 1"):
        browse(make_poses(), cutoff=cutoff)


def test_poses_that_are_not_there_are_told(tmp_path):
    with pytest.raises(StorageError, match=r"nothing\.h5"):
        browse(tmp_path / "nothing.h5")


def test_a_video_that_was_asked_for_must_be_readable(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(VideoError):
        browse(make_poses(), broken)


def test_a_project_that_was_asked_for_must_be_one(project, tmp_path):
    with pytest.raises(ProjectError):
        browse(make_poses(), project.video_url("walk"), project=tmp_path / "nowhere")
