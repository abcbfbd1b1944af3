"""Which frames are picked, without widgets: steps between values."""

import numpy as np
import pytest

from posenb.errors import InvalidInputError
from posenb.widgets import pick_state as picks
from posenb.widgets.pick_state import Clip, PickState, clock


def state_of(count=100, **marks):
    """One video of ten frames a second, and another one that is not open yet."""
    marks = {name: frozenset(frames) for name, frames in marks.items()}
    first = Clip("m1", np.arange(count) / 10, 10.0, **marks)
    return PickState((first, Clip("m2", there=frozenset({3}))))


def test_a_picker_needs_a_video():
    with pytest.raises(InvalidInputError, match="at least one video"):
        PickState(())


@pytest.mark.parametrize(("frame", "reached"), [(7, 7), (-3, 0), (100, 99), (10**9, 99)])
def test_one_looks_at_a_frame_or_at_the_nearest_there_is(frame, reached):
    assert picks.go_to(state_of(), frame).clip.frame == reached


def test_steps_end_at_the_ends():
    state = picks.step(picks.step(state_of(), 10), -1)
    assert state.clip.frame == 9
    assert picks.step(state, -100).clip.frame == 0
    assert picks.step(state, 100).clip.frame == 99


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("12", 12),
        (" 12 ", 12),
        ("1.25", 12),
        ("1.2s", 12),
        ("0:01.2", 12),
        ("0:00:01.29 s", 12),
        (".5", 5),
        ("9999", 99),
        ("1:00:00", 99),
    ],
)
def test_a_typed_number_is_a_frame_and_anything_else_a_time(text, frame):
    state = picks.find_place(state_of(), text)
    assert (state.clip.frame, state.message) == (frame, "")


@pytest.mark.parametrize("text", ["", "frame", "1:2:3:4", "-1", "1e3"])
def test_what_is_neither_frame_nor_time_is_explained_and_changes_nothing(text):
    state = picks.find_place(picks.go_to(state_of(), 40), text)
    assert state.clip.frame == 40
    assert "one like 0:41.5" in state.message


def test_times_count_as_they_are_where_frames_come_unevenly():
    clip = Clip("m1", np.array([0.0, 0.1, 0.7, 0.8]), 5.0)
    assert picks.find_place(PickState((clip,)), "0.65").clip.frame == 1
    assert picks.find_place(PickState((clip,)), "0.7s").clip.frame == 2


def test_taken_frames_are_marked_and_no_longer_suggested():
    state = picks.take(state_of(suggested=[4, 9], there=[20]), [4, 20, 30, 500, -1])
    assert state.clip.taken == {4, 30}
    assert state.clip.suggested == {9}
    assert state.clip.there == {20}


def test_dropped_frames_are_gone_and_not_suggested_again():
    state = picks.drop(state_of(suggested=[4, 9], taken=[5], there=[20]), [4, 5, 20, 77])
    assert (state.clip.suggested, state.clip.taken) == ({9}, set())
    assert state.clip.there == {20}
    assert picks.suggest(state, 0, [4, 5, 6, 20]).clip.suggested == {6}


def test_a_dropped_frame_that_is_taken_after_all_counts():
    state = picks.take(picks.drop(state_of(suggested=[4]), [4]), [4])
    assert state.clip.taken == {4}
    assert state.clip.dropped == set()


def test_a_suggestion_takes_the_place_of_the_one_before():
    state = picks.suggest(state_of(suggested=[1, 2], taken=[3]), 0, [3, 8])
    assert state.clip.suggested == {8}
    assert state.clip.taken == {3}
    assert state.message == ""


def test_a_suggestion_of_nothing_says_why():
    assert "more would be repeats" in picks.suggest(state_of(taken=[3]), 0, [3]).message


def test_one_goes_from_mark_to_mark_and_round():
    state = state_of(there=[10], taken=[40], suggested=[70])
    for reached in (10, 40, 70, 10):
        state = picks.step_mark(state, 1)
        assert state.clip.frame == reached
    for reached in (70, 40):
        state = picks.step_mark(state, -1)
        assert state.clip.frame == reached


def test_without_a_mark_one_stays():
    state = picks.step_mark(picks.go_to(state_of(), 5), 1)
    assert state.clip.frame == 5
    assert state.message


def test_each_video_keeps_its_marks_and_place():
    state = picks.take(picks.go_to(state_of(), 50), [50])
    state = picks.choose_clip(state, 1)
    state = picks.open_clip(state, 1, np.arange(5) / 5, 5.0)
    assert (state.clip.name, state.clip.frame, len(state.clip)) == ("m2", 0, 5)
    state = picks.choose_clip(picks.take(state, [1]), 0)
    assert (state.clip.frame, state.clip.taken) == (50, {50})
    assert state.clips[1].taken == {1}


def test_images_of_frames_that_the_video_lacks_are_no_marks():
    state = picks.open_clip(state_of(), 1, np.arange(3) / 5, 5.0)
    assert state.clips[1].there == set()


def test_marks_are_noted_and_come_back():
    before = state_of(taken=[4, 9], dropped=[30], there=[1], suggested=[50])
    notes = picks.to_notes(before)
    assert notes == {"m1/4": "taken", "m1/9": "taken", "m1/30": "dropped"}
    after = picks.with_notes(state_of(there=[1, 9]), notes)
    assert (after.clip.taken, after.clip.dropped) == ({4}, {30})
    assert after.clips[1].taken == set()


@pytest.mark.parametrize("place", ["m1", "m1/", "m1/x", "/4", "m1/-4", "m1/4.5", "m1/٤", "other/4"])
def test_notes_that_mean_nothing_here_are_passed_over(place):
    after = picks.with_notes(state_of(), {place: "taken", "m1/5": "painted"})
    assert picks.to_notes(after) == {}


def test_noted_frames_that_a_video_lacks_are_let_go_when_it_is_opened():
    noted = picks.with_notes(state_of(), {"m2/2": "taken", "m2/7": "taken", "m2/8": "dropped"})
    state = picks.open_clip(noted, 1, np.arange(5) / 5, 5.0)
    assert (state.clips[1].taken, state.clips[1].dropped) == ({2}, set())


def test_a_video_that_cannot_be_opened_says_so_until_it_can():
    state = picks.fail_clip(state_of(), 1, "gone")
    assert state.clips[1].fault == "gone"
    assert picks.open_clip(state, 1, np.arange(5) / 5, 5.0).clips[1].fault == ""


def test_what_is_written_is_there():
    state = picks.mark_written(state_of(taken=[4, 9], suggested=[30], there=[1]), 0, [4, 9])
    assert state.clip.there == {1, 4, 9}
    assert (state.clip.taken, state.clip.suggested) == (set(), {30})
    assert "2 frames lie in labeled-data/m1 now" in state.message
    assert "pn.label(project)" in state.message


def test_what_could_not_be_written_is_let_go_and_told():
    state = picks.mark_written(state_of(taken=[4, 9]), 0, [4], lost=1)
    assert (state.clip.there, state.clip.dropped) == ({4}, {9})
    assert "1 frame lies" in state.message
    assert "1 could not be decoded" in state.message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.00"), (41.504, "0:41.50"), (59.999, "1:00.00"), (3723.5, "1:02:03.50")],
)
def test_times_read_as_on_a_clock(seconds, text):
    assert clock(seconds) == text


def test_a_length_is_told_in_whole_seconds():
    assert clock(77.6, exact=False) == "1:18"
