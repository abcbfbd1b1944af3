"""Progress as a callback: libraries report, the surface decides how it looks."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol, Self

__all__ = ["Progress", "ProgressBar", "silent_progress", "tqdm_progress"]


class ProgressBar(Protocol):
    """One bar: entered when the work starts, advanced as it goes."""

    def __enter__(self) -> Self:
        """Show the bar."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the bar."""
        ...

    def advance(self, count: int = 1, **figures: str) -> None:
        """Move on by `count`; `figures` are shown beside the bar."""
        ...


class Progress(Protocol):
    """Makes a bar for a piece of work of known or unknown (None) length."""

    def __call__(
        self, total: int | None, description: str, unit: str = "it", initial: int = 0
    ) -> ProgressBar:
        """Return a bar for `total` units of work, `initial` of which were done another time."""
        ...


_IN_LOGS = 10.0  # seconds between two states of a bar that is written to a file


class _TqdmBar:
    def __init__(self, total: int | None, description: str, unit: str, initial: int) -> None:
        from tqdm.auto import tqdm

        notebook = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
        alive = notebook or sys.stderr.isatty()
        self._bar = tqdm(
            total=total,
            desc=description,
            unit=unit,
            initial=initial,
            mininterval=0.1 if alive else _IN_LOGS,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def advance(self, count: int = 1, **figures: str) -> None:
        if figures:
            self._bar.set_postfix(figures, refresh=False)
        self._bar.update(count)


class _SilentBar:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def advance(self, count: int = 1, **figures: str) -> None:
        return None


def tqdm_progress(
    total: int | None, description: str, unit: str = "it", initial: int = 0
) -> ProgressBar:
    """Show a tqdm bar: text in a terminal, a widget in a notebook."""
    return _TqdmBar(total, description, unit, initial)


def silent_progress(
    total: int | None, description: str, unit: str = "it", initial: int = 0
) -> ProgressBar:
    """Show nothing."""
    return _SilentBar()
