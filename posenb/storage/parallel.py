"""Doing many small things with a network between at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

__all__ = ["side_by_side"]

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
