"""Many small things at the same time."""

from __future__ import annotations

import threading

import pytest

from posenb.storage import in_order
from posenb.storage.parallel import _WORKERS, side_by_side


def test_results_come_in_order_several_at_once_and_a_bounded_number_ahead():
    together = threading.Barrier(2, timeout=20)
    begun: list[int] = []

    def square(n: int) -> int:
        begun.append(n)
        if n < 2:
            together.wait()  # passes only if two threads are here at once
        return n * n

    for taken, result in enumerate(in_order(square, range(60))):
        assert result == taken**2
        assert len(begun) - taken <= 2 * _WORKERS
    assert sorted(begun) == list(range(60))


def test_of_nothing_comes_nothing():
    assert list(in_order(str, ())) == []
    assert list(side_by_side([])) == []


def test_a_failure_comes_in_its_turn_and_stops_the_rest():
    begun: list[int] = []

    def fail_at_three(n: int) -> int:
        begun.append(n)
        if n == 3:
            raise ValueError("three")
        return n

    results = in_order(fail_at_three, range(100))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert len(begun) <= 3 + 2 * _WORKERS


def test_a_consumer_that_stops_early_leaves_nothing_running():
    begun: list[int] = []
    results = in_order(begun.append, range(1000))
    next(results)
    results.close()
    assert len(begun) <= 2 * _WORKERS


def test_steps_side_by_side_give_their_results_as_they_come():
    assert sorted(side_by_side([lambda n=n: n for n in range(20)])) == list(range(20))
