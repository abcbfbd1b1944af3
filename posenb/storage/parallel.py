"""Doing many small things with a network between at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

__all__ = ["in_order", "side_by_side"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_WORKERS = 8  # most of a small file's time is waiting for an answer


def side_by_side(steps: Sequence[Callable[[], Result]]) -> Iterator[Result]:
    """Run `steps` in threads and give their results as they come.

    The first failure stops all that have not begun, and is raised.
    """
    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            for future in as_completed([pool.submit(step) for step in steps]):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def in_order(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Apply `function` to `items` in threads and give the results in the order of the items.

    Only a bounded number is begun ahead of the one that is asked for, so that results
    which are large never pile up. The first failure stops all that have not begun, and is
    raised where its result would have come.
    """
    ahead = 2 * _WORKERS
    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            waiting = deque(pool.submit(function, item) for item in items[:ahead])
            for item in items[ahead:]:
                yield waiting.popleft().result()
                waiting.append(pool.submit(function, item))
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
