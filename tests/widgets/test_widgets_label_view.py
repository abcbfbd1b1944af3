"""The labeller without a browser: what the browser would send comes in, labels come out."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from label_states import made_project

import posenb as pn
from posenb.core import Poses, Visibility
from posenb.errors import ProjectError, UnknownNameError
from posenb.labels import read_labels
from posenb.widgets import label_saving
from posenb.widgets.label_actions import ACTIONS


class Hand:
    """What a person does in the browser, in pixels of the image."""

    def __init__(self, project, **options):
        self.project = project
        self.view = pn.label(project, **options)
        self.room(400, 490)  # which is twice the size of the frames

    @property
    def state(self):
        return self.view.state

    def room(self, width, height, ratio=1.0):
        content = {"kind": "room", "width": width, "height": height, "ratio": ratio}
        self.view._controls.guard._handle_custom_msg(content, [])

    def send(self, kind, x=0.0, y=0.0):
        stage = self.view._stage
        u, v = self.state.viewport.to_canvas(x, y)
        event = {"x": (u - 0.5) * stage.ratio, "y": (v - 0.5) * stage.ratio}
        self.raw({"event": f"mouse_{kind}", **event})

    def raw(self, event):
        """Hand an event to the canvas as ipycanvas does."""
        self.view._stage.canvas[-1]._handle_frontend_event(None, event, [])

    def click(self, x, y):
        self.send("move", x, y)
        self.send("down", x, y)
        self.send("up", x, y)

    def drag(self, start, *way):
        self.send("down", *start)
        for place in way:
            self.send("move", *place)
        self.send("up", *way[-1])

    def wheel(self, x, y, turns):
        self.send("move", x, y)
        self.raw({"event": "mouse_wheel", "x": 0, "y": turns})

    def key(self, key, shift=False, ctrl=False):
        names = {"shift_key": shift, "ctrl_key": ctrl, "meta_key": False}
        self.raw({"event": "key_down", "key": key, **names})

    def press(self, name):
        self.view._controls._buttons[name].click()

    def saved(self, video="m1"):
        assert self.view.saver.flush(20)
        return read_labels(self.project.labels_url(video), self.project.skeleton)


@pytest.fixture
def hand(tmp_path):
    one = Hand(made_project(tmp_path))
    yield one
    one.view.close()


def test_clicks_become_labels_in_the_table(hand):
    for place in ((10.0, 20.0), (30.5, 40.25), (199.0, 99.0)):
        hand.click(*place)
    labels = hand.saved()
    assert labels.positions[0, 0].tolist() == [[10, 20], [30.5, 40.25], [199, 99]]
    assert labels.frames[0] == ("m1", "img0.png")


def test_labels_are_exact_when_zoomed_and_panned_and_on_dense_screens(hand):
    hand.room(551, 700, ratio=1.5)
    for _ in range(3):
        hand.wheel(120.0, 60.0, -900)
    hand.drag((100.0, 50.0), (104.0, 52.0))
    assert hand.state.viewport.magnification > 3
    hand.click(121.3, 61.7)
    found = hand.saved().positions[0, 0, 0]
    assert found == pytest.approx((121.3, 61.7), abs=1e-6)


def test_the_wheel_zooms_at_the_cursor(hand):
    before = hand.state.viewport.to_canvas(40.0, 70.0)
    hand.wheel(40.0, 70.0, -200)
    assert hand.state.viewport.magnification > 1.2
    assert hand.state.viewport.to_canvas(40.0, 70.0) == pytest.approx(before)
    hand.wheel(40.0, 70.0, 5000)
    hand.wheel(40.0, 70.0, 5000)
    assert hand.state.viewport.magnification == 1


def test_dragging_a_point_moves_it_and_elsewhere_the_image(hand):
    hand.click(50, 50)
    hand.drag((50, 50), (60, 55), (70, 60))
    assert hand.state.here.positions[0, 0].tolist() == [70, 60]
    assert len(hand.state.past) == 2
    hand.wheel(50, 50, -400)
    offset = hand.state.viewport.offset
    hand.drag((120, 50), (124, 50))
    assert hand.state.viewport.offset != offset
    assert len(hand.state.past) == 2


def test_a_point_that_is_held_by_its_rim_does_not_jump(hand):
    hand.click(50, 50)
    hand.drag((52, 51), (62, 61))
    assert hand.state.here.positions[0, 0].tolist() == pytest.approx([60, 60])


def test_a_shaking_hand_still_clicks(hand):
    hand.send("down", 50, 50)
    hand.send("move", 51, 50)
    hand.send("up", 51, 50)
    assert hand.state.here.positions[0, 0].tolist() == [51, 50]


def test_a_click_close_to_a_point_places_the_next_one(hand):
    hand.click(50, 50)
    hand.click(52, 50)
    assert hand.state.here.positions[0, :2].tolist() == [[50, 50], [52, 50]]


def test_when_the_current_keypoint_is_placed_a_click_on_another_chooses_it(hand):
    hand.click(50, 50)
    hand.click(100, 50)
    hand.click(150, 50)
    hand.click(100, 50)
    assert hand.state.keypoint == 1
    assert len(hand.state.past) == 3


def test_a_click_beside_the_image_is_none(hand):
    hand.room(800, 400)
    hand.click(-40, 50)
    assert not hand.state.here.said.any()
    hand.click(-2, 50)
    assert hand.state.here.positions[0, 0].tolist() == [0, 50]


def test_leaving_the_canvas_ends_a_drag(hand):
    hand.click(50, 50)
    hand.send("down", 50, 50)
    hand.send("move", 190, 50)
    hand.send("out", 230, 50)
    hand.send("move", 100, 80)
    assert hand.state.here.positions[0, 0].tolist() == [190, 50]
    assert hand.state.held is None


def test_a_release_that_never_came_moves_nothing(hand):
    hand.click(50, 50)
    hand.send("down", 50, 50)  # a menu opened, for instance
    hand.send("move", 80, 50)
    hand.send("down", 120, 90)
    hand.send("up", 120, 90)
    assert hand.state.here.positions[0, :2].tolist() == [[50, 50], [120, 90]]


def test_escape_puts_a_dragged_point_back(hand):
    hand.click(50, 50)
    hand.send("down", 50, 50)
    hand.send("move", 80, 50)
    hand.key("Escape")
    hand.send("up", 80, 50)
    assert hand.state.here.positions[0, 0].tolist() == [50, 50]


def test_fingers_label_too(hand):
    u, v = hand.state.viewport.to_canvas(30, 40)
    hand.raw({"event": "touch_start", "touches": [{"x": u, "y": v}]})
    hand.raw({"event": "touch_end", "touches": []})
    assert hand.state.here.positions[0, 0] == pytest.approx((30, 40), abs=0.5)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_button_has_a_key_that_does_the_same(tmp_path, name):
    ends = []
    for way in ("button", "key"):
        (tmp_path / way).mkdir()
        hand = Hand(made_project(tmp_path / way, individuals=["a", "b"]))
        hand.press("next")
        hand.click(60, 50)
        hand.press("undo")
        if way == "button":
            hand.press(name)
        else:
            key = ACTIONS[name].keys[0]
            hand.key(key.removeprefix("Shift+"), shift=key.startswith("Shift+"))
        ends.append(hand.state)
        hand.view.close()
    one, other = ends
    for field in ("frame", "keypoint", "individual", "through", "stride", "look", "viewport"):
        assert getattr(one, field) == getattr(other, field)
    assert one.message == other.message
    assert len(one.past) == len(other.past)


def test_capitals_and_control_work_as_one_expects(hand):
    hand.click(50, 50)
    hand.key("z", ctrl=True)
    assert not hand.state.here.said.any()
    hand.key("Z", shift=True, ctrl=True)
    assert hand.state.here.said.any()
    hand.key("1")
    hand.key("ArrowRight", shift=True)
    hand.key("ArrowDown")
    assert hand.state.here.positions[0, 0].tolist() == [60, 51]
    hand.key("9")
    hand.key("F5")
    assert hand.state.keypoint == 0


def test_the_list_chooses_and_counts(hand):
    hand.view._controls._list._buttons[2].click()
    hand.click(50, 50)
    assert hand.state.here.said.tolist() == [[False, False, True]]
    assert [count.value for count in hand.view._controls._list._counts] == ["0", "0", "1"]
    assert "pnb-said" in hand.view._controls._list._buttons[2]._dom_classes
    assert "pnb-on" in hand.view._controls._list._buttons[0]._dom_classes


def test_the_frame_field_goes_anywhere(hand):
    field = hand.view._controls._frame
    field.value = "5"
    assert hand.state.frame == 4
    hand.press("previous")
    assert field.value == "4"
    field.value = "m1/img1.png"
    assert (hand.state.frame, field.value) == (1, "2")
    field.value = "img77.png"
    assert (hand.state.frame, field.value) == (1, "2")
    assert "No frame &#x27;img77.png&#x27; here" in hand.view._controls.status._message.value


def test_sliders_change_the_look_and_no_label(hand):
    hand.click(50, 50)
    hand.view._controls._sliders["brightness"].value = 0.5
    assert hand.state.look.brightness == 0.5
    assert len(hand.state.past) == 1
    hand.view._controls._set_tones_back()
    assert hand.state.look.brightness == 0


def test_all_that_is_labelled_is_there_after_a_new_start(tmp_path):
    project = made_project(tmp_path)
    first = Hand(project)
    first.click(10, 10)
    first.press("absent")
    first.click(30, 30)
    first.press("hidden")
    first.view.saver.flush(20)
    second = Hand(project)
    assert second.state.frame == 1  # the first without labels
    second.press("previous")
    assert second.state.here.visibility.tolist() == [[2, 1, 1]]
    assert second.state.here.positions[0, 2].tolist() == [30, 30]


def damaged(project, video="m1", image="img0.png"):
    file = Path(project.url) / "labeled-data" / video / image
    whole = file.read_bytes()
    file.write_bytes(whole[:60])
    return file, whole


def test_a_damaged_image_is_told_and_passed(tmp_path):
    project = made_project(tmp_path)
    file, whole = damaged(project)
    hand = Hand(project)
    assert "img0.png" in hand.view._controls._broken.value
    hand.click(50, 50)
    assert not hand.state.here.said.any()
    assert "cannot be shown" in hand.view._controls.status._message.value
    hand.press("next")
    assert hand.view._controls._broken.layout.display == "none"
    hand.click(50, 50)
    assert hand.state.here.said.any()
    file.write_bytes(whole)
    hand.press("previous")
    hand.click(50, 50)
    assert hand.state.here.said.any()


def test_nothing_is_accepted_into_an_image_that_cannot_be_shown(tmp_path):
    project = made_project(tmp_path)
    damaged(project, image="img1.png")
    poses = Poses(np.full((3, 1, 3, 2), (1500.0, 900.0)), np.ones((3, 1, 3)), project.skeleton)
    hand = Hand(project, predictions={"m1": poses})
    hand.press("next")
    for name in ("accept", "accept-all", "absent", "copy", "left", "hidden", "delete"):
        hand.press(name)
        assert "Go on with the next frame" in hand.state.message
    assert not hand.state.here.said.any()
    assert hand.state.keypoint == 0
    assert not hand.state.past
    hand.press("next")
    hand.press("accept")
    assert hand.saved().frames == (("m1", "img2.png"),)


def test_deleted_suggestions_stay_deleted_for_another_kernel(tmp_path):
    project = made_project(tmp_path)
    poses = Poses(np.full((3, 1, 3, 2), 20.0), np.ones((3, 1, 3)), project.skeleton)
    first = Hand(project, predictions={"m1": poses})
    for name in ("delete", "keypoint-down", "delete", "undo"):
        first.press(name)
    assert first.view.close()
    second = Hand(project, predictions={"m1": poses})
    second.press("accept-all")
    assert second.state.here.visibility.tolist() == [[0, 2, 2]]
    assert second.view.close()
    assert Hand(project).view._notes is None  # without suggestions


def test_that_deleted_suggestions_cannot_be_kept_is_told(tmp_path):
    project = made_project(tmp_path)
    (Path(project.url) / "notes").write_text("a file where a folder should be")
    poses = Poses(np.full((3, 1, 3, 2), 20.0), np.ones((3, 1, 3)), project.skeleton)
    hand = Hand(project, predictions={"m1": poses})
    hand.press("delete")
    hand.view.close()
    hand.send("move", 5, 5)
    status = hand.view._controls.status
    assert status._fault.layout.display == "block"
    assert "your labels are not concerned" in status._fault.value


def test_a_failing_save_is_loud_and_offers_the_labels(hand, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(label_saving, "save_labels", full)
    hand.click(12, 34)
    hand.view.saver.flush(20)
    hand.send("move", 5, 5)  # the next event tells
    status = hand.view._controls.status
    assert status._failure.layout.display == "flex"
    assert "No space left" in status._trouble.value
    assert 'download="CollectedData_posenb_m1.csv"' in status._trouble.value
    assert "Not saved" in status._saving.value
    assert "⚠ Not saved: see below" in hand.view._controls._name.value


def test_the_page_asks_again_as_long_as_something_is_unsaved(hand, monkeypatch):
    sent = []
    monkeypatch.setattr(hand.view._controls.guard, "send", sent.append)
    hand.view.saver._pause = 30
    hand.click(12, 34)
    hand.view._controls.guard._handle_custom_msg({"kind": "idle"}, [])
    assert sent == [{"kind": "wake"}]
    hand.view.saver.flush(20)
    hand.view._controls.guard._handle_custom_msg({"kind": "idle"}, [])
    assert len(sent) == 1


def pressed(hand, text):
    """Press the button of that text in the alert of conflicts."""
    box = hand.view._controls.status._conflicts
    assert box.layout.display == "flex"
    buttons = [each for each in box.children[1:] if each.layout.display != "none"]
    next(each for each in buttons if each.description == text).click()
    return box.layout.display == "flex"


def test_a_conflict_is_told_and_the_other_value_can_be_taken(tmp_path):
    project = made_project(tmp_path)
    ann, bea = Hand(project), Hand(project)
    ann.click(10, 10)
    ann.saved()
    bea.click(90, 90)
    bea.saved()
    bea.send("move", 5, 5)
    told = bea.view._controls.status._dispute.value
    assert "same as you:</b> snout (put at 10.0, 10.0) in m1/img0.png. Yours" in told
    bea.press("next")
    assert pressed(bea, "Show")
    assert (bea.state.frame, bea.state.keypoint) == (0, 0)
    assert not pressed(bea, "Use theirs")
    assert bea.state.here.positions[0, 0].tolist() == [10, 10]
    assert bea.saved().positions[0, 0, 0].tolist() == [10, 10]


def looked(hand):
    """What the page brings about when it asks the kernel to look, until that has looked."""
    guard = hand.view._controls.guard
    guard._handle_custom_msg({"kind": "look"}, [])
    until = time.monotonic() + 20
    while hand.view.saver.looking and time.monotonic() < until:
        time.sleep(0.005)
    guard._handle_custom_msg({"kind": "idle"}, [])


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(label_saving, "_RECENT", 0.0)


def changed_by_two(project):
    """Ann labels two frames; Bea, who sees it, moves two points and deletes one."""
    ann = Hand(project)
    for _ in range(2):
        for place in ((10, 10), (20, 20), (30, 30)):
            ann.click(*place)
        ann.press("next")
    ann.saved()
    bea = Hand(project)
    bea.view._controls._frame.value = "1"
    bea.drag((10, 10), (60, 60))
    bea.drag((20, 20), (70, 60))
    bea.press("next")
    bea.key("3")
    bea.press("delete")
    bea.saved()
    return ann, bea


def test_who_saved_points_is_told_which_of_them_others_changed_and_can_put_them_back(
    tmp_path, at_once
):
    project = made_project(tmp_path)
    ann, _ = changed_by_two(project)
    looked(ann)
    told = ann.view._controls.status._dispute.value
    assert "Somebody else changed what you had saved:</b> snout (put at 60.0, 60.0)" in told
    assert "ear (put at 70.0, 60.0) in m1/img0.png. Theirs stands in the table." in told
    assert told.endswith("1 more after this.")
    assert "⚠ Changed by others: see below" in ann.view._controls._name.value
    assert pressed(ann, "Put mine back")
    assert "tail (deleted) in m1/img1.png" in ann.view._controls.status._dispute.value
    assert not pressed(ann, "Leave theirs")
    assert "see below" not in ann.view._controls._name.value
    found = ann.saved()
    assert found.positions[0, 0, :2].tolist() == [[10, 10], [20, 20]]
    assert found.visibility[1, 0].tolist() == [2, 2, 0]
    ann.press("undo")
    assert ann.saved().positions[0, 0, :2].tolist() == [[60, 60], [70, 60]]


def test_all_that_others_changed_can_be_left_at_once(tmp_path, at_once):
    project = made_project(tmp_path)
    ann, _ = changed_by_two(project)
    looked(ann)
    assert not pressed(ann, "Leave all as they are")
    assert ann.saved().positions[0, 0, 0].tolist() == [60, 60]


def test_labels_of_others_appear_while_one_works(tmp_path):
    project = made_project(tmp_path)
    ann, bea = Hand(project), Hand(project)
    for n in range(3):
        ann.click(10 * n, 10)
    ann.saved()
    bea.press("next")
    bea.click(40, 40)
    bea.saved()
    bea.send("move", 5, 5)
    assert bea.state.points[0].positions[0, 0].tolist() == [0, 10]
    assert "1 / 3, 1 begun" in bea.view._controls.status.progress.value


def test_labels_of_others_appear_while_one_only_looks(tmp_path, at_once, monkeypatch):
    project = made_project(tmp_path)
    ann, bea = Hand(project), Hand(project)
    ann.click(10, 10)
    ann.saved()
    looked(bea)
    assert bea.state.points[0].positions[0, 0].tolist() == [10, 10]
    ann.click(20, 20)
    ann.saved()
    sent = []
    monkeypatch.setattr(bea.view._controls.guard, "send", sent.append)
    monkeypatch.setattr(bea.view.saver, "_look_at", lambda url: None)
    bea.press("next")  # has a look, too
    bea.view._controls.guard._handle_custom_msg({"kind": "idle"}, [])
    assert sent == [{"kind": "wake"}]  # until that is done
    monkeypatch.undo()
    looked(bea)
    assert bea.state.points[0].positions[0, 1].tolist() == [20, 20]


def test_parts_of_the_bar_tell_done_and_begun_frames(hand):
    for n in range(3):
        hand.click(10 * n, 10)
    hand.press("next-empty")
    hand.click(40, 40)
    shown = hand.view._controls.status.progress.value
    assert '<i style="width:33.3%"></i><i style="width:33.3%"></i>' in shown
    assert 'title="m1: 1 of 3 frames done, 1 begun"' in shown


def test_labels_of_others_that_arrive_in_the_middle_of_a_drag_are_not_lost(tmp_path):
    project = made_project(tmp_path)
    ann, bea = Hand(project), Hand(project)
    bea.click(40, 40)
    ann.press("next")
    ann.click(10, 10)
    ann.saved()
    bea.saved()
    bea.send("down", 40, 40)
    bea.send("move", 60, 60)
    bea.view._controls.guard._handle_custom_msg({"kind": "idle"}, [])
    bea.send("up", 60, 60)
    labels = bea.saved()
    assert labels.positions[:, 0, 0].tolist() == [[60, 60], [10, 10]]
    bea.send("move", 5, 5)
    assert bea.state.points[1].positions[0, 0].tolist() == [10, 10]


def test_a_page_that_was_opened_anew_is_drawn_anew(hand, monkeypatch):
    hand.click(50, 50)
    drawn = []
    monkeypatch.setattr(hand.view._stage, "draw_all", drawn.append)
    hand.raw({"event": "client_ready"})
    assert drawn[-1] is hand.state
    assert hand.view._stage.holds(hand.state.frame)


def test_an_error_while_drawing_does_not_stop_the_drawing(hand, monkeypatch):
    from ipycanvas.canvas import _CANVAS_MANAGER

    from posenb.widgets import label_stage

    monkeypatch.setattr(label_stage, "marks", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hand.view._stage.draw_all(hand.state)
    assert not _CANVAS_MANAGER._caching


def test_suggestions_of_poses_are_a_start(tmp_path):
    project = made_project(tmp_path)
    positions = np.full((3, 1, 3, 2), 20.0) + np.arange(3)[:, None, None, None]
    likelihoods = np.array([[[0.9, 0.1, 0.9]]] * 3)
    poses = Poses(positions, likelihoods, project.skeleton)
    hand = Hand(project, predictions={"m1": poses})
    hand.press("next")
    hand.key("Enter")
    assert hand.state.here.positions[0, 0].tolist() == [21, 21]
    assert hand.state.here.visibility.tolist() == [[2, 0, 2]]


def test_suggestions_are_shifted_into_images_that_are_cut_out_of_the_frames(tmp_path):
    project = made_project(tmp_path)
    cropped = replace(project, crops={"m1": (8, 150, 5, 90)})
    poses = Poses(np.full((3, 1, 3, 2), 20.0), np.ones((3, 1, 3)), project.skeleton)
    hand = Hand(cropped, predictions={"m1": poses, "m2": poses})
    assert hand.state.suggestions[0].positions[0, 0].tolist() == [12, 15]
    assert hand.state.suggestions[3].positions[0, 0].tolist() == [20, 20]


def test_suggestions_of_a_run_lie_in_the_project(tmp_path):
    from posenb.labels import write_poses

    project = made_project(tmp_path)
    poses = Poses(np.full((3, 1, 3, 2), 7.0), np.ones((3, 1, 3)), project.skeleton)
    write_poses(project.poses_url("m2", "first") + "/", poses)
    hand = Hand(project, predictions="first")
    assert sorted(hand.state.suggestions) == [3, 4, 5]
    with pytest.raises(UnknownNameError, match="Analyze one of"):
        pn.label(project, predictions="second")


def test_of_several_videos_some_can_be_chosen(tmp_path):
    project = made_project(tmp_path)
    assert pn.label(project.url, videos=["m2"]).state.videos == ("m2",)
    with pytest.raises(UnknownNameError, match="m3"):
        pn.label(project, videos=["m3"])


def test_a_project_without_frames_says_what_to_do(tmp_path):
    project = pn.create_project(tmp_path / "empty", keypoints=["snout"])
    with pytest.raises(ProjectError, match="extract_frames"):
        pn.label(project)


def test_frames_are_in_the_order_of_their_numbers(tmp_path):
    project = made_project(tmp_path, images=("img10.png", "img9.png", "img100.png"))
    names = [frame.image for frame in pn.label(project, videos=["m1"]).state.frames]
    assert names == ["img9.png", "img10.png", "img100.png"]


def test_pictures_of_checked_labels_are_no_frames(tmp_path):
    project = made_project(tmp_path)
    shown = Path(project.url) / "labeled-data" / "m1_labeled"
    shown.mkdir()
    (shown / "img0.png").write_bytes(b"")
    assert pn.label(project).state.videos == ("m1", "m2")


def test_hidden_and_absent_stay_apart_in_the_list(hand):
    hand.click(10, 10)
    hand.press("absent")
    hand.view._controls._list._buttons[0].click()
    hand.press("hidden")
    buttons = hand.view._controls._list._buttons
    assert "pnb-hidden" in buttons[0]._dom_classes
    assert "pnb-absent" in buttons[1]._dom_classes
    assert hand.state.here.visibility[0, 0] == Visibility.OCCLUDED


def test_the_labeller_shows_itself(hand, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    hand.view._ipython_display_()
    assert shown == [hand.view.widget]
