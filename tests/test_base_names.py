from posenb._names import unknown_name
from posenb.errors import UnknownNameError


def test_a_miss_names_the_likely_and_the_known_names_in_order():
    error = unknown_name("backbone", "mobilnet", ("resnet50", "mobilenet_v2"))
    assert isinstance(error, UnknownNameError)
    assert str(error) == (
        "No backbone 'mobilnet'. Did you mean 'mobilenet_v2'? Known: resnet50, mobilenet_v2."
    )


def test_what_is_far_from_all_is_not_guessed():
    assert str(unknown_name("backbone", "yolo", ("resnet50",))) == (
        "No backbone 'yolo'. Known: resnet50."
    )


def test_a_miss_where_there_is_nothing_says_so():
    assert str(unknown_name("video", "x", ())) == "No video 'x'. Known: none."
