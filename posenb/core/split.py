"""Which labelled frames train, which choose the checkpoint, which are only ever evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from posenb.core.labels import FrameName
from posenb.errors import InvalidInputError

__all__ = ["Split"]


@dataclass(frozen=True, slots=True)
class Split:
    """Disjoint sets of frame names.

    Parameters
    ----------
    train, validation, test : tuple of FrameName
        The validation frames choose the checkpoint; the test frames are only ever
        evaluated.

    Raises
    ------
    InvalidInputError
        If a frame stands in two sets.
    """

    train: tuple[FrameName, ...]
    validation: tuple[FrameName, ...] = ()
    test: tuple[FrameName, ...] = ()

    def __post_init__(self) -> None:
        """Normalise frame names and check that no frame is used twice."""
        seen: set[FrameName] = set()
        for part in ("train", "validation", "test"):
            frames = tuple(FrameName(*frame) for frame in getattr(self, part))
            object.__setattr__(self, part, frames)
            for frame in frames:
                if frame in seen:
                    raise InvalidInputError(
                        f"A frame belongs to one part of a split; {'/'.join(frame)} is used twice. "
                        "Name it once."
                    )
                seen.add(frame)
