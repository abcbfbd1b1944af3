"""Which frames are worth a look, and what marks mean: no widget, no browser."""

import numpy as np
import pytest
from browse_samples import make_poses
from hypothesis import given, settings
from hypothesis import strategies as st

from posenb.core import FrameName
from posenb.errors import UnknownNameError
from posenb.widgets.browse_state import (
    BrowseState,
    chosen,
    find_spots,
    mark,
    take_in,
    to_notes,
    unmark,
    waiting,
    with_notes,
)


def unlikely(rows, count=60):
    """Poses in which the nose is as unlikely in each row as told."""
    likelihoods = np.full((count, 1, 2), 0.9)
    for row, value in rows.items():
        likelihoods[row, 0, 0] = value
    return make_poses(count, likelihoods=likelihoods)


def jumping(rows, count=60, **more):
    """Poses in which the tail jumps by so many pixels before each row, and stays there."""
    positions = np.full((count, 1, 2, 2), 10.0)
    for row, way in rows.items():
        positions[row:, 0, 1, 0] += way
    return make_poses(count, positions=positions, **more)


# --- marks --------------------------------------------------------------------------------------


def test_a_mark_is_set_once_and_taken_away():
    state = mark(mark(BrowseState(), 7), 7)
    assert state.marked == {7}
    assert unmark(state, 7).marked == frozenset()
    assert unmark(state, 8) == state


def test_frames_that_are_images_already_do_not_wait():
    state = mark(mark(mark(BrowseState(), 30), 7), 12)
    state = take_in(state, {12: FrameName("walk", "img12.png")}, [])
    assert waiting(state) == (7, 30)
    assert state.marked == {7, 12, 30}


def test_the_images_of_marked_frames_come_in_the_order_of_the_video():
    images = {n: FrameName("walk", f"img{n}.png") for n in (30, 7, 9)}
    state = take_in(mark(mark(mark(BrowseState(), 30), 12), 7), images, [])
    assert chosen(state) == (images[7], images[30])


def test_notes_lead_back_to_the_same_marks():
    state = take_in(BrowseState(), {7: FrameName("walk", "img7.png")}, [7])
    state = mark(mark(state, 7), 30)
    notes = to_notes(state, "day/1 walk")
    assert notes == {"day/1 walk/7": "again", "day/1 walk/30": "new"}
    bare = take_in(BrowseState(), state.images, state.labelled)
    assert with_notes(bare, notes, "day/1 walk", range(60)) == state
    assert with_notes(bare, notes, "walk", range(60)) == bare
    assert with_notes(bare, notes, "day/1 walk", range(10)).marked == {7}


def test_a_mark_is_done_once_something_is_labelled_there():
    notes = to_notes(mark(mark(BrowseState(), 7), 30), "walk")
    images = {7: FrameName("walk", "img7.png")}
    labelled = take_in(BrowseState(), images, [7])
    assert with_notes(labelled, notes, "walk", range(60)).marked == {30}


def test_a_mark_set_again_stays_what_it_was():
    state = take_in(mark(BrowseState(), 7), {7: FrameName("walk", "img7.png")}, [7])
    assert mark(state, 7).again == frozenset()
    assert mark(unmark(state, 7), 7).again == {7}


@given(st.dictionaries(st.text(), st.text()))
@settings(max_examples=60)
def test_notes_of_any_kind_do_no_harm(notes):
    state = with_notes(BrowseState(), notes, "walk", range(60))
    assert state.marked >= state.again


def test_what_lies_in_the_project_cannot_be_changed_from_outside():
    images = {3: FrameName("walk", "img03.png")}
    state = BrowseState(images=images)
    images.clear()
    assert 3 in state.images
    with pytest.raises(TypeError):
        state.images[4] = FrameName("walk", "img04.png")


# --- the least likely ---------------------------------------------------------------------------


def test_the_least_likely_come_first_and_name_their_point():
    spots = find_spots(unlikely({40: 0.1, 20: 0.3}), "unlikely")
    assert [(spot.row, spot.individual, spot.keypoint) for spot in spots[:2]] == [
        (40, 0, 0),
        (20, 0, 0),
    ]
    assert spots[0].value == pytest.approx(0.1)


def test_of_one_mistake_only_its_worst_frame_is_shown():
    spots = find_spots(unlikely({40: 0.1, 41: 0.2, 39: 0.15, 46: 0.4}), "unlikely")
    assert [spot.row for spot in spots[:2]] == [40, 46]


def test_where_the_frame_rate_is_unknown_spots_lie_apart_too():
    poses = make_poses(100, fps=float("nan"))
    rows = sorted(spot.row for spot in find_spots(poses, "unlikely"))
    assert min(np.diff(rows)) >= 15


def test_points_that_are_not_shown_do_not_count():
    poses = unlikely({40: 0.1})
    spots = find_spots(poses, "unlikely", shown=np.array([[False, True]]))
    assert {spot.keypoint for spot in spots} == {1}
    assert find_spots(poses, "unlikely", shown=np.zeros((1, 2), bool)) == ()


def test_without_likelihoods_nothing_is_unlikely():
    poses = make_poses(likelihoods=np.full((60, 1, 2), np.nan))
    assert find_spots(poses, "unlikely") == ()


def test_no_more_spots_come_than_wanted():
    assert len(find_spots(make_poses(1000), "unlikely", most=7)) == 7


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=80))
def test_spots_get_better_one_after_the_other_and_lie_apart(values):
    likelihoods = np.ones((len(values), 1, 2))
    likelihoods[:, 0, 1] = values
    spots = find_spots(make_poses(len(values), likelihoods=likelihoods), "unlikely")
    found = [spot.value for spot in spots]
    assert found == sorted(found)
    assert found[0] == min(values)
    rows = sorted(spot.row for spot in spots)
    assert len(rows) == 1 or min(np.diff(rows)) >= 5


# --- jumps --------------------------------------------------------------------------------------


def test_the_longest_jump_comes_first_with_its_length():
    spots = find_spots(jumping({30: 8.0, 50: -25.0}), "jumps")
    assert [(spot.row, spot.keypoint, spot.value) for spot in spots[:2]] == [
        (50, 1, 25.0),
        (30, 1, 8.0),
    ]


def test_points_below_the_cut_off_take_no_part_in_jumps():
    poses = jumping({30: 8.0}, likelihoods=np.full((60, 1, 2), 0.4))
    assert find_spots(poses, "jumps", cutoff=0.5) == ()
    assert find_spots(poses, "jumps", cutoff=0.4)[0].row == 30


def test_over_a_gap_nothing_jumps():
    frames = np.concatenate([np.arange(30), np.arange(30) + 100])
    spots = find_spots(jumping({30: 500.0, 45: 3.0}, frames=frames), "jumps")
    assert spots[0].row == 45
    positions = np.full((60, 1, 2, 2), 10.0)
    positions[20] = np.nan
    positions[21:] = 400.0
    assert all(spot.value == 0 for spot in find_spots(make_poses(positions=positions), "jumps"))


def test_points_without_a_likelihood_jump_too():
    poses = jumping({30: 8.0}, likelihoods=np.full((60, 1, 2), np.nan))
    assert find_spots(poses, "jumps", cutoff=0.9)[0].row == 30


def test_the_animal_that_jumped_is_named():
    positions = np.full((60, 3, 2, 2), 10.0)
    positions[33:, 2, 0, 1] = 90.0
    spot = find_spots(make_poses(individuals=3, positions=positions), "jumps")[0]
    assert (spot.row, spot.individual, spot.keypoint, spot.value) == (33, 2, 0, 80.0)


def test_one_frame_and_empty_frames_are_no_trouble():
    assert find_spots(make_poses(1), "jumps") == ()
    assert len(find_spots(make_poses(1), "unlikely")) == 1
    nothing = make_poses(
        positions=np.full((60, 1, 2, 2), np.nan), likelihoods=np.full((60, 1, 2), np.nan)
    )
    assert find_spots(nothing, "jumps") == find_spots(nothing, "unlikely") == ()


def test_an_unknown_kind_is_refused_with_those_that_exist():
    with pytest.raises(UnknownNameError, match="unlikely"):
        find_spots(make_poses(), "unlikly")
