import pytest

from posenb.widgets.quantities import say_bytes, say_seconds


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (6700, "6.7 kB"),
        (52_400_000, "52 MB"),
        (1.239e9, "1.24 GB"),
    ],
)
def test_sizes_are_said_as_people_say_them(count, words):
    assert say_bytes(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0.4 s"), (45.2, "45 s"), (123, "2 min 03 s"), (3900, "1 h 05 min")],
)
def test_times_are_said_as_people_say_them(seconds, words):
    assert say_seconds(seconds) == words
