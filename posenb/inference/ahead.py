"""Doing the next thing while the last one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead"]

Item = TypeVar("Item")


def ahead(items: Iterator[Item], count: int) -> Generator[Item, None, None]:
    """Iterate over `items`, drawing up to `count` of them ahead in one thread.

    No more than `count` are ever held here, so a slow consumer slows the producer down.
    What the producer raises is raised where its item would have come. Close it, or run
    it to its end, to stop the thread.
    """
    end = object()
    with ThreadPoolExecutor(1, "posenb-ahead") as pool:
        try:
            drawn = deque(pool.submit(next, items, end) for _ in range(count))
            while (item := drawn.popleft().result()) is not end:
                drawn.append(pool.submit(next, items, end))
                yield item  # type: ignore[misc]  # not `end`
        finally:
            pool.shutdown(cancel_futures=True)
