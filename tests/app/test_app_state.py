"""The steps: which are open, what a choice takes with it, how long it will take."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posenb.app.state import (
    Clip,
    Found,
    Options,
    Step,
    Trial,
    Verdict,
    Walk,
    choose_model,
    expect_clip,
    fail,
    finish,
    frames_chosen,
    go_to,
    judge,
    open_steps,
    seconds_needed,
    set_options,
    start,
    take_clip,
    take_trial,
)
from posenb.errors import ConfigError, InvalidInputError

CLIP = Clip("m.mp4", frames=300, fps=30, width=640, height=480, seconds=10, size=1000)
TRIAL = Trial(size=1, likelihood=0.9, network=0.1, rest=0.01)
FOUND = Found(300, {"snout": 1.0}, 0.9, 1.0, {})


def at_options() -> Walk:
    return take_trial(choose_model(take_clip(Walk(), CLIP), "mouse"), TRIAL)


def test_at_first_only_a_video_can_be_chosen():
    assert open_steps(Walk()) == (Step.VIDEO,)
    assert go_to(Walk(), Step.LOOK) == Walk()


def test_a_video_leads_to_the_models_a_model_to_the_options_and_these_to_the_run():
    walk = take_clip(Walk(), CLIP)
    assert walk.step is Step.MODEL
    walk = choose_model(walk, "mouse")
    assert walk.step is Step.OPTIONS
    walk = start(walk)
    assert walk.step is Step.RUN
    walk = finish(walk, FOUND)
    assert walk.step is Step.LOOK
    assert open_steps(walk) == (Step.VIDEO, Step.MODEL, Step.OPTIONS, Step.LOOK)


def test_while_a_run_is_under_way_nothing_else_is_open():
    running = start(at_options())
    assert open_steps(running) == (Step.RUN,)
    assert go_to(running, Step.VIDEO) == running
    with pytest.raises(InvalidInputError, match="one runs at a time"):
        start(running)


def test_a_model_cannot_be_chosen_before_a_video():
    with pytest.raises(InvalidInputError, match="Choose one first"):
        choose_model(Walk(), "mouse")


def test_a_run_needs_a_model():
    with pytest.raises(InvalidInputError, match="Choose what is missing"):
        start(take_clip(Walk(), CLIP))


def test_another_video_keeps_model_and_quality_and_drops_what_was_found():
    walk = finish(start(set_options(at_options(), start=2, quality="exact")), FOUND)
    after = take_clip(walk, replace(CLIP, name="n.mp4"))
    assert (after.model, after.options) == ("mouse", Options(quality="exact"))
    assert after.trial is None
    assert after.found is None


def test_another_model_drops_the_trial_and_the_same_one_keeps_it():
    assert choose_model(at_options(), "fly").trial is None
    assert choose_model(at_options(), "mouse").trial == TRIAL


def test_while_another_video_is_on_its_way_nothing_begins():
    waiting = expect_clip(finish(start(at_options()), FOUND), True)
    assert open_steps(waiting) == (Step.VIDEO,)
    with pytest.raises(InvalidInputError):
        start(waiting)
    assert Step.LOOK in open_steps(expect_clip(waiting, False))


def test_another_size_drops_what_was_seen_at_the_first_and_another_part_does_not():
    assert set_options(at_options(), stop=4).trial == TRIAL
    assert set_options(at_options(), size=2).trial is None


def test_a_run_that_fails_leads_back_to_the_options_with_the_reason():
    after = fail(start(at_options()), "no room")
    assert (after.step, after.problem) == (Step.OPTIONS, "no room")
    assert go_to(after, Step.MODEL).problem == ""


def test_a_part_beyond_the_end_is_refused_and_the_length_told():
    with pytest.raises(InvalidInputError, match=r"10\.0 s; got 12 to 10 s"):
        set_options(at_options(), start=12)
    with pytest.raises(InvalidInputError, match="begins before it ends"):
        set_options(at_options(), start=5, stop=4)


@pytest.mark.parametrize("bad", [{"start": -1}, {"quality": "best"}, {"size": 9}, {"colour": 1}])
def test_options_out_of_range_are_refused(bad):
    with pytest.raises(ConfigError):
        set_options(at_options(), **bad)


def test_the_frames_of_a_part_are_counted():
    assert frames_chosen(at_options()) == 300
    assert frames_chosen(set_options(at_options(), start=1, stop=3)) == 60
    assert frames_chosen(Walk()) == 0


def test_time_is_told_for_each_quality_and_only_after_a_trial():
    assert seconds_needed(Walk()) == {}
    needed = seconds_needed(at_options())
    assert needed["normal"] == pytest.approx(33)
    assert needed["fast"] < needed["normal"] < needed["exact"]


@pytest.mark.parametrize(
    ("likelihood", "verdict"),
    [(0.0, Verdict.POOR), (0.3, Verdict.DOUBTFUL), (0.6, Verdict.GOOD), (1.0, Verdict.GOOD)],
)
def test_likelihoods_are_judged(likelihood, verdict):
    assert judge(likelihood) is verdict


ACTS = {
    "clip": lambda walk: take_clip(walk, CLIP),
    "model": lambda walk: choose_model(walk, "mouse"),
    "start": start,
    "fail": lambda walk: fail(walk, "x"),
    **{step.value: lambda walk, step=step: go_to(walk, step) for step in Step},
}


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=12))
def test_whatever_is_clicked_the_step_is_one_that_has_what_it_needs(acts):
    walk = Walk()
    for act in acts:
        if act == "clip" and walk.step is Step.RUN:
            continue
        try:
            walk = ACTS[act](walk)
        except InvalidInputError:
            continue
        assert walk.step in open_steps(walk)
