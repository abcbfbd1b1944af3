"""What came of an adaptation, and how it is shown."""

from dataclasses import replace

import pytest

from posenb.zoo import Adaptation
from posenb.zoo.adaptation import compare
from posenb.zoo.consistency import Consistency

BEFORE = Consistency(apart=2.0, jump=1.0, found=0.8)
BETTER = Consistency(apart=1.5, jump=0.9, found=0.85)


def passed(after=BETTER, moved=1.0, strayed=0.0, before=BEFORE):
    return [check.passed for check in compare(before, after, moved, strayed, 100.0)]


def adaptation(after=BETTER, moved=1.0, **changes):
    checks = compare(BEFORE, after, moved, 0.0, 100.0)
    facts = {
        "model": "spots",
        "kept": all(check.passed for check in checks),
        "reason": "spots < stays.",
        "before": BEFORE,
        "after": after,
        "checks": checks,
        "taught": 40,
        "held_out": 24,
        "run": None,
    }
    return Adaptation(**{**facts, **changes})


def test_a_model_that_is_better_in_all_passes():
    assert all(passed())
    assert all(passed(replace(BETTER, jump=1.0, found=0.8), moved=3.0, strayed=3.0))


@pytest.mark.parametrize(
    ("place", "after", "moved", "strayed"),
    [
        (0, replace(BETTER, apart=1.9), 1.0, 1.0),
        (1, replace(BETTER, found=0.79), 1.0, 1.0),
        (2, replace(BETTER, jump=1.01), 1.0, 1.0),
        (3, BETTER, 3.1, 1.0),
        (4, BETTER, 1.0, 3.1),
        (2, replace(BETTER, jump=float("nan")), 1.0, 1.0),
        (3, BETTER, float("nan"), 1.0),
    ],
)
def test_one_measure_that_fails_is_enough_and_is_told_apart(place, after, moved, strayed):
    assert passed(after, moved, strayed) == [n != place for n in range(5)]


def test_a_model_that_never_contradicted_itself_cannot_become_better():
    perfect = replace(BEFORE, apart=0.0)
    assert passed(perfect, before=perfect)[0] is False


def test_the_table_tells_measures_rules_and_which_failed():
    lines = repr(adaptation(replace(BETTER, found=0.7))).splitlines()
    assert lines[0].split() == ["on", "held-out", "frames", "before", "after", "wanted", "passed"]
    assert lines[1].split()[-7:] == ["2.00", "1.50", "at", "least", "10%", "less", "yes"]
    assert lines[2].split()[-5:] == ["80.0%", "70.0%", "not", "fewer", "NO"]
    assert lines[4].split()[-5:] == ["1.00", "at", "most", "3.00", "yes"]
    assert "from 40 frames, measured on 24 others" in lines[-2]
    assert lines[-1] == "spots < stays."


def test_a_notebook_shows_the_same_table_and_escapes_it():
    shown = adaptation()._repr_html_()
    assert shown.startswith("<p><b>spots &lt; stays.</b></p>")
    assert shown.count("<tr>") == 6
    for cell in ("2.00", "1.50", "85.0%", "at most 3.00", "consistency and not truth"):
        assert cell in shown


def test_without_anything_learned_there_is_a_sentence_and_no_table():
    nothing = adaptation(after=BETTER, checks=())
    assert repr(nothing) == "spots < stays."
    assert nothing._repr_html_() == "<p><b>spots &lt; stays.</b></p>"
