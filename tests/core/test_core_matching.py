import pytest

from posenb.core import match_keypoints
from posenb.errors import InvalidInputError, UnknownNameError

MOUSE = ("snout", "leftear", "rightear", "tailbase")


@pytest.mark.parametrize(
    "own", ["leftear", "LeftEar", "left_ear", "Left ear", "left-ear", "LEFT.EAR"]
)
def test_case_blanks_and_punctuation_do_not_count(own):
    assert match_keypoints([own], MOUSE) == {own: "leftear"}


@pytest.mark.parametrize("own", ["ear", "ear_l", "l_ear", "ear1", "ear_left", "earleft", "snoutt"])
def test_nothing_else_is_guessed(own):
    assert match_keypoints([own], MOUSE) == {}


def test_sides_are_never_told_apart_by_guessing():
    assert match_keypoints(["paw"], ["paw_l", "paw_r"]) == {}
    assert match_keypoints(["paw_l", "paw_r"], ["paw"]) == {}
    assert match_keypoints(["paw_1", "paw_2"], ["paw_l", "paw_r"]) == {}
    assert match_keypoints(["pawL", "pawR"], ["paw_r", "paw_l"]) == {
        "pawL": "paw_l",
        "pawR": "paw_r",
    }


def test_names_that_read_alike_match_only_if_they_are_written_the_same():
    assert match_keypoints(["Tip", "tip"], ["t_ip"]) == {}
    assert match_keypoints(["t_ip"], ["Tip", "tip"]) == {}
    assert match_keypoints(["tip", "TIP"], ["tip"]) == {"tip": "tip"}
    assert match_keypoints(["T_ip", "tip"], ["tip", "Tip"]) == {"tip": "tip"}


def test_what_is_given_goes_before_what_is_found_and_the_order_is_the_own_one():
    found = match_keypoints(["tailbase", "nose", "snout"], MOUSE, {"nose": "snout"})
    assert found == {"tailbase": "tailbase", "nose": "snout"}
    assert list(found) == ["tailbase", "nose"]


def test_what_was_found_may_be_given_and_changes_nothing():
    found = match_keypoints(["Snout", "tail"], MOUSE, {"tail": "tailbase"})
    assert match_keypoints(["Snout", "tail"], MOUSE, found) == found


def test_names_in_other_alphabets_match_too():
    assert match_keypoints(["Нос", "鼻"], ["нос", "鼻 "]) == {"Нос": "нос", "鼻": "鼻 "}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"tale": "tailbase"}, "'tale'.*Did you mean 'tail'"),
        ({"tail": "tailbsae"}, "'tailbsae'.*Did you mean 'tailbase'"),
    ],
)
def test_a_given_keypoint_that_does_not_exist_is_refused(given, complaint):
    with pytest.raises(UnknownNameError, match=complaint):
        match_keypoints(["tail"], MOUSE, given)


def test_one_keypoint_starts_no_two():
    with pytest.raises(InvalidInputError, match="leftear is given to several"):
        match_keypoints(["ear1", "ear2"], MOUSE, {"ear1": "leftear", "ear2": "leftear"})
