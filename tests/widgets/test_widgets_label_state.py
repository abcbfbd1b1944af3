"""Labelling without any widget: edits, undo, the queue, animals, suggestions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_states import CAGE, FRAMES, KEYPOINTS, labels_of, state_of, suggestion

from posenb.core import FrameName, Visibility
from posenb.errors import InvalidInputError
from posenb.widgets import label_edits as edits
from posenb.widgets import label_moves as moves
from posenb.widgets import label_notes
from posenb.widgets.label_others import Said, adopt
from posenb.widgets.label_state import new_state, suggested, to_labels

TWO = ("rat 1", "rat 2")


def same(a, b):
    """Whether two states say the same of every frame."""
    return all(
        np.array_equal(p.positions, q.positions, equal_nan=True)
        and np.array_equal(p.visibility, q.visibility)
        and np.array_equal(p.declined, q.declined)
        for p, q in zip(a.points, b.points, strict=True)
    )


def at(state, cell=(0, 0), frame=None):
    points = state.here if frame is None else state.points[frame]
    return tuple(points.positions[cell].tolist())


# Placing


def test_a_click_places_the_current_keypoint_and_goes_on_to_the_next():
    state = edits.place(state_of(), 12.25, 30.5)
    assert at(state) == (12.25, 30.5)
    assert state.here.visibility[0].tolist() == [Visibility.VISIBLE, 0, 0]
    assert state.keypoint == 1


def test_after_the_last_keypoint_the_first_missing_one_is_next():
    state = moves.choose_cell(state_of(), 2)
    assert edits.place(state, 1, 1).keypoint == 0


def test_when_all_are_placed_the_person_is_told():
    state = state_of()
    for n in range(3):
        state = edits.place(state, 10 * n, 5)
    assert state.here.said.all()
    assert "next frame" in state.message


def test_placing_changes_no_earlier_state():
    before = state_of()
    edits.place(before, 1, 2)
    assert not before.here.said.any()
    with pytest.raises(ValueError, match="read-only"):
        before.here.positions[0, 0] = 1


@pytest.mark.parametrize(
    ("click", "kept"),
    [((-9, 50), (0, 50)), ((300, 150), (199, 99)), ((0.25, 98.75), (0.25, 98.75))],
)
def test_points_stay_inside_the_image(click, kept):
    assert at(edits.place(state_of(), *click)) == kept


def test_one_keypoint_through_all_frames_crosses_videos():
    state = moves.toggle_through(moves.choose_cell(state_of(), 1))
    seen = []
    for n in range(6):
        seen.append(state.frame)
        state = edits.place(state, n, n)
    assert seen == [0, 1, 2, 3, 4, 5]
    assert [at(state, (0, 1), n) for n in range(6)] == [(n, n) for n in range(6)]
    assert "every frame" in state.message


def test_through_all_frames_what_has_the_keypoint_is_passed_over():
    state = edits.place(moves.go_to(state_of(), 1), 5, 5)
    state = moves.toggle_through(moves.choose_cell(moves.go_to(state, 0), 0))
    assert edits.place(state, 1, 1).frame == 2


# Dragging, nudging, deleting


def test_a_drag_is_one_step_however_long_the_way_was():
    state = edits.grab(edits.place(state_of(), 10, 10), (0, 0))
    for step in range(50):
        state = edits.drag_to(state, 10 + step, 10)
    assert at(state) == (10, 10)  # not before it is dropped
    state = edits.drop(state)
    assert at(state) == (59, 10)
    assert at(edits.undo(state)) == (10, 10)


def test_a_drag_that_ends_where_it_began_is_no_step():
    state = edits.place(state_of(), 10, 10)
    moved = edits.drag_to(edits.drag_to(edits.grab(state, (0, 0)), 30, 30), 10, 10)
    assert edits.drop(moved).past == state.past


def test_a_drag_can_be_let_go():
    state = edits.drag_to(edits.grab(edits.place(state_of(), 10, 10), (0, 0)), 90, 90)
    assert at(edits.let_go(state)) == (10, 10)
    assert edits.let_go(state).held is None


def test_a_correction_in_between_leaves_the_next_keypoint_current():
    state = edits.place(state_of(), 10, 10)
    state = edits.drop(edits.drag_to(edits.grab(state, (0, 0)), 20, 20))
    assert state.keypoint == 1
    state = edits.place(edits.place(state, 30, 30), 40, 40)
    assert edits.grab(state, (0, 1)).keypoint == 1


def test_a_dragged_point_stays_hidden_where_it_was_hidden():
    state = moves.choose_cell(edits.place(state_of(), 10, 10), 0)
    state = edits.nudge(edits.mark_occluded(state), 1, 0)
    assert state.here.visibility[0, 0] == Visibility.OCCLUDED
    assert at(state) == (11, 10)


def test_nothing_is_grabbed_where_there_is_no_point():
    state = state_of()
    assert edits.grab(state, (0, 0)) is state
    assert edits.drag_to(state, 1, 1) is state
    assert edits.drop(state) is state


def test_the_nearest_point_within_reach_is_meant():
    state = edits.place(edits.place(state_of(), 10, 10), 16, 10)
    assert edits.point_at(state, 14, 10, reach=5) == (0, 1)
    assert edits.point_at(state, 14, 10, reach=1) is None
    assert edits.point_at(state_of(), 14, 10, reach=1000) is None


def test_of_two_points_on_each_other_the_current_one_is_meant():
    state = edits.place(edits.place(state_of(), 10, 10), 10, 10)
    for k in (0, 1):
        assert edits.point_at(moves.choose_cell(state, k), 10, 10, reach=3) == (0, k)


def test_a_nudge_moves_by_pixels_of_the_image():
    state = moves.choose_cell(edits.place(state_of(), 10.5, 20), 0)
    assert at(edits.nudge(edits.nudge(state, 10, 0), 0, -1)) == (20.5, 19)


def test_a_nudge_without_a_point_says_so():
    state = edits.nudge(state_of(), 1, 0)
    assert "snout has no position" in state.message
    assert not state.past


def test_deleting_makes_a_keypoint_unlabelled_and_current():
    state = edits.delete_point(moves.choose_cell(edits.place(state_of(), 1, 2), 0))
    assert state.here.visibility[0, 0] == Visibility.UNLABELLED
    assert np.isnan(state.here.positions[0, 0]).all()
    assert state.keypoint == 0


def test_there_is_nothing_to_delete_where_nothing_is_said():
    state = edits.delete_point(state_of())
    assert not state.past
    assert "Nothing is said of snout" in state.message


# Hidden, not there


def test_hidden_is_not_unlabelled_and_keeps_its_position():
    state = edits.mark_occluded(moves.choose_cell(edits.place(state_of(), 3, 4), 0))
    assert state.here.visibility[0, 0] == Visibility.OCCLUDED
    assert at(state) == (3, 4)
    seen = edits.mark_occluded(state)
    assert seen.here.visibility[0, 0] == Visibility.VISIBLE


def test_hidden_without_a_position_asks_for_one():
    state = edits.mark_occluded(state_of())
    assert "Click where snout is hidden" in state.message
    assert not state.past


def test_not_in_this_frame_is_said_and_goes_on():
    state = edits.mark_absent(state_of())
    assert state.here.visibility[0, 0] == Visibility.OCCLUDED
    assert np.isnan(state.here.positions[0, 0]).all()
    assert state.keypoint == 1
    assert moves.progress(state)[0].begun == 1


def test_what_was_not_there_can_be_placed_after_all():
    state = moves.choose_cell(edits.mark_absent(state_of()), 0)
    state = edits.place(state, 5, 6)
    assert state.here.visibility[0, 0] == Visibility.VISIBLE


# Undo and redo


def test_undo_shows_where_it_was():
    state = moves.go_to(edits.place(state_of(), 1, 1), 4)
    back = edits.undo(state)
    assert (back.frame, back.keypoint) == (0, 0)
    assert not back.here.said.any()


def test_there_is_an_end_to_undoing_and_redoing():
    assert "nothing to undo" in edits.undo(state_of()).message
    assert "nothing to redo" in edits.redo(state_of()).message


def test_a_new_step_ends_redoing():
    state = edits.place(edits.undo(edits.place(state_of(), 1, 1)), 2, 2)
    assert not state.future
    assert at(edits.redo(state)) == (2, 2)


COORDINATE = st.floats(-20, 220)
STEP = st.one_of(
    st.builds(lambda x, y: lambda s: edits.place(s, x, y), COORDINATE, COORDINATE),
    st.builds(lambda x, y: lambda s: edits.nudge(s, x, y), COORDINATE, COORDINATE),
    st.builds(
        lambda i, k, x, y: lambda s: edits.drop(edits.drag_to(edits.grab(s, (i, k)), x, y)),
        *(st.integers(0, 1), st.integers(0, 2), COORDINATE, COORDINATE),
    ),
    st.builds(lambda n: lambda s: moves.go_to(s, n), st.integers(-1, 7)),
    st.builds(lambda k: lambda s: moves.choose_cell(s, k), st.integers(0, 3)),
    st.builds(lambda i: lambda s: moves.choose_individual(s, i), st.integers(0, 1)),
    st.sampled_from(
        [
            *(edits.delete_point, edits.mark_occluded, edits.mark_absent, edits.copy_previous),
            *(edits.accept_suggestions, moves.toggle_through, moves.next_unfinished),
            lambda s: edits.accept_suggestions(s, doubtful=True),
            lambda s: edits.swap_individuals(s, 1 - s.individual),
        ]
    ),
)


def rich_state():
    guesses = {1: suggestion([0.9, 0.2, 0.9, 0.9, 0.9, 0.1, 0.9, 0.9], individuals=2)}
    guesses[1].positions[1, 3] = np.nan
    return state_of(TWO, CAGE, guesses)


@settings(deadline=None, max_examples=60)
@given(st.lists(STEP, max_size=25))
def test_undo_after_any_steps_restores_and_redo_does_them_again(steps):
    start = rich_state()
    end = start
    for step in steps:
        end = step(end)
    back = end
    while back.past:
        back = edits.undo(back)
    assert same(back, start)
    forth = back
    while forth.future:
        forth = edits.redo(forth)
    assert same(forth, end)


@settings(deadline=None, max_examples=60)
@given(st.lists(STEP, max_size=25))
def test_after_any_steps_the_labels_can_be_saved(steps):
    state = rich_state()
    for step in steps:
        state = step(state)
    labels = to_labels(state, list(range(6)), "ann")  # the constructor checks all rules
    placed = labels.positions[~np.isnan(labels.positions[..., 0])]
    assert (placed >= 0).all()
    assert (placed <= [199, 99]).all()


# The queue


def test_the_work_begins_where_labels_end():
    labels = labels_of(FRAMES[:2])
    positions = labels.positions.copy()
    positions[:, 0, 0] = 5
    begun = type(labels)(labels.frames, positions, labels.skeleton)
    state = new_state(FRAMES, begun)
    assert (state.frame, state.keypoint) == (2, 0)


def test_a_queue_has_a_frame():
    with pytest.raises(InvalidInputError, match="Extract frames first"):
        new_state((), labels_of())


def test_the_queue_goes_across_videos_and_has_ends():
    state = moves.step_frame(state_of(), 3)
    assert state.frames[state.frame] == FrameName("m2", "img0.png")
    assert moves.step_frame(state, 9).frame == 5
    assert "last frame" in moves.step_frame(moves.go_to(state, 5), 1).message
    assert "first frame" in moves.step_frame(state_of(), -1).message


def done(state, frame):
    """The state with all three keypoints of a frame placed."""
    state = moves.go_to(state, frame)
    for k in range(3):
        state = edits.place(moves.choose_cell(state, k), 10 * k, 5)
    return state


def test_the_next_frame_that_is_not_done_is_found_round_the_end():
    state = state_of()
    for n in (0, 2, 3, 4, 5):
        state = done(state, n)
    assert moves.next_unfinished(state).frame == 1
    state = edits.place(moves.go_to(state, 1), 1, 1)
    assert "Every other frame is done" in moves.next_unfinished(state).message
    assert moves.next_unfinished(moves.go_to(state, 4)).frame == 1  # one of three is not all
    assert "Every frame is done" in moves.next_unfinished(done(state, 1)).message


def test_what_is_hidden_or_not_in_the_frame_is_said():
    state = edits.mark_absent(edits.mark_absent(edits.place(state_of(), 1, 1)))
    state = edits.mark_occluded(moves.choose_cell(state, 0))
    assert (moves.progress(state)[0].done, moves.progress(state)[0].begun) == (1, 0)
    assert moves.next_unfinished(moves.go_to(state, 5)).frame == 1


def test_an_animal_of_which_nothing_is_said_is_not_there():
    state = state_of(TWO, CAGE)
    for k in range(4):
        state = edits.place(moves.choose_cell(state, k, 0), 10 * k, 5)
    assert moves.progress(state)[0].done == 1
    state = edits.place(moves.choose_cell(state, 0, 1), 9, 9)
    assert (moves.progress(state)[0].done, moves.progress(state)[0].begun) == (0, 1)


def test_what_exists_once_in_the_scene_is_missed_as_well():
    state = state_of(TWO, CAGE)
    for k in range(3):
        state = edits.place(moves.choose_cell(state, k, 0), 10 * k, 5)
    assert moves.progress(state)[0].begun == 1
    state = edits.place(moves.choose_cell(state_of(TWO, CAGE), 3), 1, 1)
    assert moves.progress(state)[0].begun == 1


def test_in_a_new_frame_the_first_missing_keypoint_is_current():
    state = edits.place(moves.go_to(state_of(), 1), 1, 1)
    assert moves.go_to(moves.choose_cell(moves.go_to(state, 0), 2), 1).keypoint == 1


def test_stepping_through_keypoints_and_animals_goes_round():
    state = state_of(TWO)
    assert moves.step_keypoint(state, -1).keypoint == 2
    assert moves.step_individual(state, -1).individual == 1
    assert moves.step_individual(moves.step_individual(state, 1), 1).individual == 0


def test_progress_counts_frames_of_each_video():
    state = edits.place(moves.go_to(edits.place(state_of(), 1, 1), 4), 1, 1)
    state = edits.place(state, 2, 2)
    state = edits.place(done(state, 5), 3, 3)
    found = [(each.video, each.done, each.begun, each.total) for each in moves.progress(state)]
    assert found == [("m1", 0, 1, 3), ("m2", 1, 1, 3)]
    assert moves.keypoint_counts(state).tolist() == [[3, 2, 1]]


# Copying


def test_what_is_missing_is_copied_from_the_frame_before():
    state = edits.place(edits.place(state_of(), 10, 11), 20, 21)
    state = edits.place(moves.go_to(state, 1), 99, 98)
    copied = edits.copy_previous(state)
    assert at(copied) == (99, 98)
    assert at(copied, (0, 1)) == (20, 21)
    assert not copied.here.said[0, 2]
    assert same(edits.undo(copied), state)


@pytest.mark.parametrize("frame", [0, 3])
def test_nothing_is_copied_across_videos(frame):
    state = edits.place(moves.go_to(state_of(), 2), 1, 1)
    there = edits.copy_previous(moves.go_to(state, frame))
    assert "first frame of its video" in there.message
    assert not there.here.said.any()


def test_copying_what_is_there_already_says_so():
    state = edits.copy_previous(moves.go_to(state_of(), 1))
    assert "no point that is missing" in state.message


# Several animals


def test_each_animal_has_its_own_points():
    state = edits.place(state_of(TWO), 1, 1)
    state = edits.place(moves.choose_individual(state, 1), 2, 2)
    assert (at(state, (0, 0)), at(state, (1, 0))) == ((1, 1), (2, 2))


def test_swapping_trades_animals_in_this_frame_alone():
    state = state_of(TWO, CAGE)
    for n in (0, 1):
        state = moves.go_to(state, n)
        state = edits.place(moves.choose_cell(state, 0, 0), 1, 1)
        state = edits.place(moves.choose_cell(state, 3, 0), 7, 7)
        state = edits.place(moves.choose_cell(state, 0, 1), 2, 2)
    swapped = edits.swap_individuals(state, 0)
    assert (at(swapped, (0, 0)), at(swapped, (1, 0))) == ((2, 2), (1, 1))
    assert at(swapped, (0, 3)) == (7, 7)  # what exists once in the scene stays
    assert (at(swapped, (0, 0), 0), at(swapped, (1, 0), 0)) == ((1, 1), (2, 2))
    assert same(edits.undo(swapped), state)


def test_swapping_an_animal_with_itself_changes_nothing():
    state = state_of(TWO)
    assert edits.swap_individuals(state, 0) is state


def test_what_exists_once_in_the_scene_is_one_point_for_all_animals():
    state = moves.choose_cell(state_of(TWO, CAGE), 3, individual=1)
    state = edits.place(state, 5, 5)
    assert at(state, (0, 3)) == (5, 5)
    assert not state.here.said[1, 3]


def test_the_next_animal_is_the_first_without_labels():
    state = edits.place(state_of(TWO, CAGE), 1, 1)
    state = moves.add_individual(state)
    assert state.individual == 1
    state = moves.add_individual(edits.place(state, 1, 1))
    assert "All 2 animals" in state.message


# Suggestions


def test_suggestions_are_no_labels_until_accepted():
    state = state_of(suggestions={0: suggestion([0.9, 0.3, 0.8])})
    assert suggested(state).tolist() == [[True, True, True]]
    assert not state.here.said.any()
    assert not suggested(state, 1).any()
    accepted = edits.accept_suggestions(state)
    assert accepted.here.said.tolist() == [[True, False, True]]  # the doubtful one waits
    assert accepted.keypoint == 1
    assert edits.accept_suggestions(accepted, doubtful=True).here.said.all()


def test_doubtful_suggestions_are_not_taken_in_passing():
    state = edits.accept_suggestions(state_of(suggestions={0: suggestion([0.1, 0.3, 0.2])}))
    assert "3 suggestions here are doubtful" in state.message
    assert "No suggestion" in edits.accept_suggestions(state_of()).message


def test_a_corrected_suggestion_is_a_label():
    state = state_of(suggestions={0: suggestion([0.9, 0.3, 0.8])})
    cell = edits.point_at(state, 11, 6, reach=3)
    assert cell == (0, 1)
    state = edits.drop(edits.drag_to(edits.grab(state, cell), 40, 41))
    assert at(state, (0, 1)) == (40, 41)
    assert state.here.visibility[0, 1] == Visibility.VISIBLE


def test_a_deleted_suggestion_does_not_come_back_but_by_undo():
    state = edits.delete_point(state_of(suggestions={0: suggestion([0.9, 0.3, 0.8])}))
    assert suggested(state).tolist() == [[False, True, True]]
    assert suggested(edits.undo(state)).all()


def test_a_suggestion_outside_the_image_is_accepted_at_its_border():
    guess = suggestion([0.9, 0.9, 0.9])
    guess.positions[0, 0] = (-5, 400)
    state = edits.accept_suggestions(state_of(suggestions={0: guess}))
    assert at(state) == (0, 99)


# What others said


def test_labels_of_others_come_in_and_undo_passes_over_them():
    state = edits.place(state_of(), 1, 1)
    sent = to_labels(state, [0, 1, 2], "ann")
    others = edits.place(moves.choose_cell(state, 2), 50, 50)
    others = edits.place(moves.choose_cell(moves.go_to(others, 1), 0), 60, 60)
    there = to_labels(others, [0, 1, 2], "ann")
    state = edits.place(state, 2, 2)  # since the saving
    merged = adopt(state, sent, there)
    assert at(merged, (0, 2), 0) == (50, 50)
    assert at(merged, (0, 0), 1) == (60, 60)
    assert at(merged, (0, 1), 0) == (2, 2)
    undone = edits.undo(edits.undo(merged))
    assert undone.points[0].said.tolist() == [[False, False, True]]
    assert at(undone, (0, 0), 1) == (60, 60)
    assert not undone.message


def replaced_by_another(state, place=(50, 50)):
    """The state once somebody else has put the snout of the first frame elsewhere."""
    sent = to_labels(state, [0], "ann")
    other = edits.place(moves.choose_cell(moves.go_to(state, 0), 0, 0), *place)
    return adopt(state, sent, to_labels(other, [0], "bea"))


def test_undo_and_redo_leave_what_another_put_in_the_place_of_a_point():
    state = replaced_by_another(edits.place(state_of(), 1, 1))
    undone = edits.undo(edits.place(state, 2, 2))
    assert not undone.message
    undone = edits.undo(undone)
    assert at(undone) == (50, 50)
    assert "Nothing was done: somebody else changed snout since" in undone.message
    assert not undone.past
    redone = edits.redo(undone)
    assert at(redone) == (50, 50)
    assert "somebody else changed snout since, which stays" in redone.message
    assert at(edits.redo(redone), (0, 1)) == (2, 2)


def test_redo_leaves_what_another_said_after_the_undo():
    state = replaced_by_another(edits.undo(edits.place(state_of(), 1, 1)))
    assert at(edits.redo(state)) == (50, 50)


def test_of_a_step_with_many_points_those_that_others_changed_stay():
    state = state_of(suggestions={0: suggestion([0.9, 0.9, 0.9])})
    state = replaced_by_another(edits.accept_suggestions(state))
    undone = edits.undo(state)
    assert undone.here.said.tolist() == [[True, False, False]]
    assert at(undone) == (50, 50)
    assert "a part was done: somebody else changed snout since" in undone.message


def test_what_one_changes_after_another_can_be_taken_back():
    state = replaced_by_another(edits.place(state_of(), 1, 1))
    moved = edits.nudge(moves.choose_cell(state, 0), 3, 0)
    assert at(edits.undo(moved)) == (50, 50)
    assert at(edits.redo(edits.undo(moved))) == (53, 50)


def test_what_was_changed_since_the_saving_is_not_overruled():
    state = edits.place(state_of(), 1, 1)
    sent = to_labels(state, [0], "ann")
    theirs = to_labels(edits.nudge(moves.choose_cell(state, 0), 5, 0), [0], "ann")
    newer = edits.nudge(moves.choose_cell(state, 0), 0, 7)
    assert at(adopt(newer, sent, theirs)) == (1, 8)
    assert at(adopt(state, sent, theirs)) == (6, 1)


def test_the_value_of_another_can_be_taken_and_given_back():
    state = edits.place(moves.go_to(state_of(), 2), 1, 1)
    theirs = {(0, 0): Said((9, 8), Visibility.OCCLUDED), (0, 2): Said((7, 7), Visibility.VISIBLE)}
    taken = edits.take_back(moves.go_to(state, 4), FRAMES[2], theirs)
    assert (taken.frame, taken.keypoint) == (2, 0)
    assert (at(taken), at(taken, (0, 2))) == ((9, 8), (7, 7))
    assert taken.here.visibility[0, 0] == Visibility.OCCLUDED
    assert same(edits.undo(taken), state)  # both in one step
    gone = edits.take_back(state, FRAMES[2], {(0, 0): Said(None, Visibility.UNLABELLED)})
    assert not gone.here.said.any()


# Images that cannot be shown

EDITS = {
    "place": lambda s: edits.place(s, 150, 90),
    "nudge": lambda s: edits.nudge(s, 1, 0),
    "drag": lambda s: edits.drop(edits.drag_to(edits.grab(s, (0, 0)), 5, 5)),
    "decline": lambda s: edits.delete_point(moves.choose_cell(s, 1)),
    "hide": edits.mark_occluded,
    "absent": edits.mark_absent,
    "copy": edits.copy_previous,
    "accept": edits.accept_suggestions,
    "accept all": lambda s: edits.accept_suggestions(s, doubtful=True),
    "swap": lambda s: edits.swap_individuals(s, 1),
}


@pytest.mark.parametrize("name", EDITS)
def test_nothing_is_said_of_an_image_that_nobody_sees(name):
    guess = suggestion([0.9] * 6, individuals=2)
    guess.positions[:] = (1500, 900)  # right in the image that cannot be shown
    state = edits.place(edits.place(state_of(TWO, suggestions={1: guess}), 20, 20), 30, 30)
    state = moves.choose_cell(moves.go_to(state, 1), 0)
    before = moves.choose_cell(edits.place(state, 10, 10), 0)
    broken = moves.show_broken(before, "img1.png is damaged.")
    after = EDITS[name](broken)
    assert same(after, broken)
    assert after.past == broken.past
    assert (after.frame, after.held) == (1, None)
    assert after.keypoint == (name == "decline")
    assert "cannot be shown, so nothing is said of it. Go on" in after.message
    assert not same(EDITS[name](moves.show_image(broken, (200, 100))), broken)


def test_what_is_said_of_an_image_that_nobody_sees_can_be_deleted():
    state = moves.choose_cell(edits.place(state_of(), 1, 1), 0)
    assert not edits.delete_point(moves.show_broken(state, "damaged")).here.said.any()


def test_a_step_can_be_taken_back_while_an_image_cannot_be_shown():
    state = moves.show_broken(moves.go_to(edits.place(state_of(), 1, 1), 1), "damaged")
    assert not edits.undo(state).here.said.any()


# Deleted suggestions, remembered


def guessed(individuals=("",), frames=(0, 1)):
    guesses = {n: suggestion([0.9, 0.3, 0.8] * len(individuals), len(individuals)) for n in frames}
    return state_of(individuals, suggestions=guesses)


def noted(state):
    return label_notes.write_notes(state, range(6))


def test_a_deleted_suggestion_stays_deleted_the_next_time():
    state = edits.delete_point(moves.choose_cell(moves.go_to(guessed(TWO), 1), 2, 1))
    assert list(noted(state)) == ['["m1", "img1.png", "rat 2", "tail"]']
    again = label_notes.read_notes(guessed(TWO), noted(state))
    assert np.argwhere(suggested(again, 1) != suggested(guessed(TWO), 1)).tolist() == [[1, 2]]
    assert suggested(again, 0).all()
    accepted = edits.accept_suggestions(moves.go_to(again, 1), doubtful=True)
    assert not accepted.here.said[1, 2]
    assert not again.past


def test_only_what_a_person_deleted_is_noted():
    state = edits.place(guessed(), 1, 1)
    state = edits.mark_absent(state)
    assert noted(state) == {}
    state = edits.delete_point(moves.choose_cell(moves.go_to(state, 3), 0))  # without suggestion
    assert noted(state) == {}
    state = edits.delete_point(moves.choose_cell(moves.go_to(state, 0), 0))  # was corrected before
    assert len(noted(state)) == 1
    assert noted(edits.undo(state)) == {}


def test_what_another_model_suggests_elsewhere_is_not_deleted():
    notes = noted(edits.delete_point(guessed()))
    better = guessed()
    better.suggestions[0].positions[0, 0] += (1.0, 0.5)  # the same on another device
    assert not suggested(label_notes.read_notes(better, notes))[0, 0]
    better.suggestions[0].positions[0, 0] += 10
    assert suggested(label_notes.read_notes(better, notes))[0, 0]


@pytest.mark.parametrize("text", ["", "[1]", "[1, 2, 3]", '["a", "b"]', "{}", "null", "[NaN, 1]"])
def test_what_is_no_note_of_this_version_is_passed_over(text):
    (about,) = noted(edits.delete_point(guessed()))
    again = label_notes.read_notes(guessed(), {about: text, "other": "[0, 5]"})
    assert suggested(again).all()


def test_a_step_brings_the_notes_that_it_changes():
    before = guessed()
    after = edits.delete_point(before)
    (about,) = noted(after)
    assert label_notes.changes(before, after) == {about: "[0.0, 5.0]"}
    assert label_notes.changes(after, edits.undo(after)) == {about: None}
    assert label_notes.changes(after, edits.place(moves.choose_cell(after, 1), 1, 1)) == {}
    through = moves.choose_cell(moves.toggle_through(after), 0)
    assert label_notes.changes(through, edits.place(through, 1, 1)) == {about: None}


# Going to a frame by name


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        *(("1", 0), (" 6 ", 5), ("img1.png", 4), ("IMG1", 4), ("m1/img2.png", 2)),
        *(("#2", 5), ("# 0", 3), ("m1/img1.png", 1)),
    ],
)
def test_a_frame_is_found_by_position_name_or_number(text, frame):
    found = moves.find_frame(moves.go_to(state_of(), 4), text)
    assert (found.frame, found.message) == (frame, "")


@pytest.mark.parametrize("text", ["0", "7", "img9.png", "#7", "m3/img1.png", "-1", "<b>", "1.5"])
def test_a_frame_that_is_not_there_is_told(text):
    found = moves.find_frame(moves.go_to(state_of(), 4), text)
    assert found.frame == 4
    assert f"No frame {text!r} here. Type 1 to 6, an image" in found.message
    assert "img0.png" in found.message


def test_an_empty_text_goes_nowhere():
    state = moves.go_to(state_of(), 4)
    assert moves.find_frame(state, "  ") is state


def test_the_number_of_a_frame_is_not_its_place():
    frames = tuple(FrameName("m", f"img{n:05d}.png") for n in (7, 40, 123))
    state = new_state(frames, labels_of(frames))
    assert moves.find_frame(state, "#123").frame == 2
    assert moves.find_frame(state, "2").frame == 1
    assert "No frame '123'" in moves.find_frame(state, "123").message


# The view of it


def test_a_new_image_of_the_same_size_keeps_the_zoom():
    state = moves.zoom(state_of(), 4, 100, 50)
    assert moves.show_image(state, (200, 100)) is state
    assert moves.show_image(state, (100, 100)).viewport.magnification == 1
    assert moves.fit_image(state).viewport.magnification == 1


def test_clicks_are_exact_at_every_zoom():
    state = moves.pan(moves.zoom(state_of(), 13.7, 321, 45), 17.3, -4.1)
    u, v = state.viewport.to_canvas(170.3, 21.7)
    placed = edits.place(state, *state.viewport.to_image(u, v))
    assert at(placed) == pytest.approx((170.3, 21.7), abs=1e-9)


def test_the_look_changes_no_label():
    state = edits.place(state_of(), 1, 1)
    other = moves.set_look(state, names=True, brightness=0.5, colour_by="individual")
    assert other.look.names
    assert other.points is state.points
    assert other.past == state.past


def test_names_of_keypoints_stand_in_messages():
    assert KEYPOINTS[0] in edits.nudge(state_of(), 1, 1).message
    assert "snout of rat 1" in edits.nudge(state_of(TWO), 1, 1).message
