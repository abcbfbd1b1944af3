"""What is checked and shown, without widgets: steps between values."""

from dataclasses import replace

import numpy as np
import pytest
from label_samples import two_animals

from posenb.core import FrameName, Labels, Skeleton, Visibility
from posenb.evaluation import Suspect
from posenb.labels import align_labels
from posenb.widgets import gallery_state as views
from posenb.widgets.gallery_looks import marks, remark
from posenb.widgets.gallery_notes import read_notes, write_notes
from posenb.widgets.gallery_state import Cause, GalleryState

FRAMES = tuple(FrameName(video, f"img{n}.png") for video in ("m1", "m2") for n in range(3))


def suspect(n, kind="shape", score=8.0, keypoint="snout"):
    return Suspect(FRAMES[n], kind, "", (keypoint,), score, f"{keypoint} is odd")


SUSPECTS = (suspect(4, "swap", 12), suspect(1, score=9), suspect(4, score=8, keypoint="tail"))


def state_of(**options):
    return GalleryState(FRAMES, SUSPECTS, {0: "1 not labelled", 5: "2 not labelled"}, **options)


def test_doubtful_frames_come_by_how_doubtful_they_are_and_once():
    assert views.shown(state_of(only="doubtful")) == [4, 1]


@pytest.mark.parametrize(
    ("only", "video", "frames"),
    [
        ("all", None, [0, 1, 2, 3, 4, 5]),
        ("all", "m2", [3, 4, 5]),
        ("swap", None, [4]),
        ("shape", None, [1, 4]),
        ("doubtful", "m1", [1]),
        ("incomplete", None, [0, 5]),
        ("twin", None, []),
    ],
)
def test_frames_are_sifted_by_what_is_doubtful_and_by_video(only, video, frames):
    assert views.shown(views.show_only(state_of(), only, video)) == frames


def test_only_what_there_is_can_be_chosen():
    assert views.choices(state_of()) == [
        ("doubtful", "Doubtful", 2),
        ("swap", "Doubtful: left and right swapped", 1),
        ("shape", "Doubtful: far from the rest of the animal", 2),
        ("incomplete", "Not complete", 2),
        ("all", "All frames", 6),
    ]


def test_what_is_chosen_stays_to_choose_when_it_has_become_empty():
    state = GalleryState(FRAMES, (), {}, only="swap")
    assert [key for key, _, _ in views.choices(state)] == ["swap", "all"]


def test_one_flips_through_what_is_shown_and_round():
    state = state_of(only="doubtful")
    for reached in (4, 1, 4):
        state = views.move(state, 1)
        assert state.opened == reached
    assert views.move(state, -1).opened == 1
    assert views.move(state_of(only="doubtful"), -1).opened == 1


def test_nothing_to_flip_through_changes_nothing():
    assert views.move(state_of(only="limb"), 1).opened is None


@pytest.mark.parametrize(("n", "opened"), [(3, 3), (6, None), (-1, None), (None, None)])
def test_a_frame_that_is_there_is_shown_at_large(n, opened):
    assert views.open_frame(state_of(), n).opened == opened


def test_what_is_right_is_doubtful_no_more_and_the_next_comes():
    state = views.settle(state_of(only="doubtful", opened=4), 4)
    assert views.doubts(state, 4) == ()
    assert (views.shown(state), state.opened) == ([1], 1)
    state = views.settle(state, 1)
    assert (views.shown(state), state.opened) == ([], None)
    assert views.doubts(state) == ()


def test_among_all_frames_one_stays_at_the_frame_that_is_right():
    assert views.settle(state_of(only="all", opened=4), 4).opened == 4


def test_what_is_right_stays_so_when_others_are_corrected():
    state = views.settle(state_of(), 1)
    again = (suspect(1, score=9.5), suspect(2))
    assert [each.frame for each in views.doubts(views.learn(state, again, {}))] == [FRAMES[2]]


def test_what_was_found_right_can_be_looked_through_and_doubted_again():
    state = views.settle(views.settle(state_of(only="doubtful", opened=4), 4), 1)
    assert ("right", "Found right", 2) in views.choices(state)
    state = views.open_frame(views.show_only(state, "right", None), 1)
    assert views.shown(state) == [1, 4]
    assert [each.frame for each in views.found_right(state, 1)] == [FRAMES[1]]
    state = views.doubt_again(state, 1)
    assert (views.shown(state), state.opened) == ([4], 4)
    assert [each.frame for each in views.doubts(state)] == [FRAMES[1]]


def test_what_was_found_right_is_noted_for_as_long_as_its_labels_stay():
    labels = two_animals("img0.png", "img1.png")
    first, second = labels.frames
    one = Cause(first, "limb", "rat 1", ("snout", "tail"), None)
    other = Cause(second, "twin", "", (), first)
    notes = write_notes({one, other}, labels)
    assert read_notes(notes, labels) == {one, other}
    assert read_notes(notes, labels.select([1])) == {other}
    moved = labels.positions.copy()
    moved[0, 0, 0] += 1
    assert read_notes(notes, replace(labels, positions=moved)) == {other}
    hidden = labels.visibility.copy()
    hidden[1][hidden[1] == Visibility.VISIBLE] = Visibility.OCCLUDED
    assert read_notes(notes, replace(labels, visibility=hidden)) == {one}


def test_a_new_keypoint_or_animal_that_is_not_labelled_changes_no_note():
    labels = two_animals("img0.png")
    one = Cause(labels.frames[0], "limb", "rat 1", ("snout", "tail"), None)
    skeleton = replace(labels.skeleton, keypoints=("paw", *labels.skeleton.keypoints))
    wider = align_labels(labels, labels.frames, ("rat 0", *labels.individuals), skeleton)
    assert read_notes(write_notes({one}, labels), wider) == {one}


@pytest.mark.parametrize("frame", ['["a", "b"]', '["a"]', "3"])
@pytest.mark.parametrize(
    "rest", ["", '"c"', '"c", "", [], 3', '"c", {}, [], null', "3, 3, 3, null"]
)
def test_notes_that_mean_nothing_are_passed_over(frame, rest):
    notes = dict.fromkeys((f"[{frame}, {rest}]", frame, rest), "x")
    assert read_notes(notes, two_animals("img0.png")) == frozenset()


# --- what is drawn and lacking -------------------------------------------------------


def test_points_are_drawn_where_they_are_and_doubtful_ones_named():
    labels = two_animals("img0.png")
    wrong = Suspect(labels.frames[0], "shape", "rat 2", ("tail",), 9.0, "odd")
    told = marks(labels, 0, (wrong,))
    assert len(told["points"]) == 5  # the corner is there once
    at = {point["name"]: (point["x"], point["y"]) for point in told["points"]}
    assert at["rat 2 tail"] == tuple(labels.positions[0, 1, 1])
    assert [point["name"] for point in told["points"] if point["doubtful"]] == ["rat 2 tail"]
    assert told["edges"][0] == [*labels.positions[0, 0, 0], *labels.positions[0, 0, 1]]
    assert len(told["edges"]) == 2


def test_what_lacks_is_told_but_animals_that_are_not_there_lack_nothing():
    mouse = Skeleton.from_names(["snout", "tail", "corner"], unique=["corner"])
    positions = np.full((2, 2, 3, 2), np.nan)
    positions[0, 0] = [(5, 5), (np.nan, np.nan), (1, 1)]
    labels = Labels(FRAMES[:2], positions, mouse, ("rat 1", "rat 2"))
    assert remark(labels, 0, (20, 20)) == "1 not labelled"
    assert remark(labels, 0, (4, 20)) == "1 not labelled, 1 outside the image"
    assert remark(labels, 1, (20, 20)) == "3 not labelled"


def test_what_is_not_in_the_frame_is_not_lacking():
    mouse = Skeleton.from_names(["snout", "tail"])
    positions = np.array([[[(5, 5), (np.nan, np.nan)]]])
    seen = np.array([[[Visibility.VISIBLE, Visibility.OCCLUDED]]])
    assert remark(Labels(FRAMES[:1], positions, mouse, visibility=seen), 0, (20, 20)) == ""
    (point,) = marks(Labels(FRAMES[:1], positions, mouse, visibility=seen), 0, ())["points"]
    assert not point["hidden"]
