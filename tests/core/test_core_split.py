import pytest

from posenb.core import FrameName, Split
from posenb.errors import InvalidInputError

A, B, C = (FrameName("v", f"{letter}.png") for letter in "abc")


def test_a_split_names_frames_as_frames():
    split = Split([("v", "a.png")], (("v", "b.png"),))
    assert split == Split((A,), (B,))
    assert split.train[0].image == "a.png"


@pytest.mark.parametrize(
    "parts", [((A, B), (B,), ()), ((A,), (), (A,)), ((A,), (C,), (C,)), ((A, A), (), ())]
)
def test_a_frame_belongs_to_one_part(parts):
    with pytest.raises(InvalidInputError, match=r"v/[abc].png is used twice"):
        Split(*parts)


def test_the_frame_that_is_used_twice_is_named():
    with pytest.raises(InvalidInputError, match=r"v/b.png is used twice"):
        Split((A, B, C, B))
