"""Keypoint names, the edges that join them and the pairs that mirror each other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from posenb._names import unknown_name
from posenb.core.names import check_name
from posenb.errors import InvalidInputError

__all__ = ["Skeleton"]

# A letter that stands alone; a capital one after a small letter or before a word or F, M, H (fore,
# middle, hind) that ends there.
_SIDE = re.compile(
    r"(?:(?<=[\W_\d])|^)[LlRr](?=[\W_\d]|$)"
    r"|(?<=[a-z])[LR](?=[\W_\d]|$|[A-Z][a-z]|[FMH](?:[\W_\d]|$))"
    r"|(?:(?<=[\W_\d])|^)[LR](?=[A-Z][a-z]|[FMH](?:[\W_\d]|$))"
    r"|^[lr](?=[A-Z][a-z])"
)
_SIDES = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Keypoint names and the edges joining them.

    Parameters
    ----------
    keypoints : tuple of str
        Unique, not empty; their order is the channel order everywhere.
    edges : tuple of (int, int), optional
        Zero-based index pairs into `keypoints`.
    unique : tuple of str, optional
        Those keypoints that exist once in the scene and not once per animal, such
        as the corners of a box (DeepLabCut's unique bodyparts).

    Raises
    ------
    InvalidInputError
        If there is no keypoint, a name repeats or is not usable, an edge joins a keypoint
        to itself or to one that does not exist, or `unique` names an unknown one.
    """

    keypoints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()
    unique: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Normalise sequences to tuples and check the rules."""
        object.__setattr__(self, "keypoints", tuple(self.keypoints))
        object.__setattr__(self, "edges", tuple((int(a), int(b)) for a, b in self.edges))
        object.__setattr__(self, "unique", tuple(self.unique))
        if not self.keypoints:
            raise InvalidInputError(
                "A skeleton needs at least one keypoint; got none. Name the body parts to track."
            )
        for name in self.keypoints:
            check_name("Keypoint", name)
        repeated = sorted({n for n in self.keypoints if self.keypoints.count(n) > 1})
        if repeated:
            raise InvalidInputError(
                f"Keypoint names must be unique; repeated: {', '.join(repeated)}. Rename them."
            )
        for a, b in self.edges:
            if a == b or not (0 <= a < len(self) and 0 <= b < len(self)):
                raise InvalidInputError(
                    f"An edge joins two different keypoints by index 0 to {len(self) - 1}; "
                    f"got ({a}, {b})."
                )
        for name in self.unique:
            self.index(name)

    def __len__(self) -> int:
        """Return the number of keypoints."""
        return len(self.keypoints)

    @classmethod
    def from_names(
        cls,
        keypoints: list[str] | tuple[str, ...],
        edges: list[tuple[str, str]] | tuple[tuple[str, str], ...] = (),
        unique: list[str] | tuple[str, ...] = (),
    ) -> Skeleton:
        """Build a skeleton whose edges are given as pairs of names.

        Raises
        ------
        UnknownNameError
            If an edge names a keypoint that does not exist.
        """
        bare = cls(tuple(keypoints))
        pairs = tuple((bare.index(a), bare.index(b)) for a, b in edges)
        return cls(bare.keypoints, pairs, tuple(unique))

    @property
    def edge_names(self) -> tuple[tuple[str, str], ...]:
        """Edges as pairs of keypoint names."""
        return tuple((self.keypoints[a], self.keypoints[b]) for a, b in self.edges)

    def index(self, name: str) -> int:
        """Return the channel of `name`.

        Raises
        ------
        UnknownNameError
            If there is no such keypoint.
        """
        if name not in self.keypoints:
            raise unknown_name("keypoint", name, self.keypoints)
        return self.keypoints.index(name)

    def mirror_pairs(self) -> tuple[tuple[int, int], ...]:
        """Return the index pairs that trade places when the image is mirrored.

        Two keypoints are a pair when their names differ only in the side they
        name: ``left``/``right`` in any of the usual spellings, or a single ``L``/``R`` set off
        by a separator, a digit, the start or the end (``ear_L``, ``L_ear``), a capital one
        also by the capitals of the words around it (``earL``, ``LEar``, ``pawLF``).
        """
        found: list[tuple[int, int]] = []
        for i, name in enumerate(self.keypoints):
            partner = _other_side(name)
            if partner in self.keypoints:
                j = self.keypoints.index(partner)
                if i < j:
                    found.append((i, j))
        return tuple(found)

    def unpaired_sides(self) -> tuple[str, ...]:
        """Return the keypoints that seem to name a side but have no mirror image here.

        That is a side without its partner (``leftear`` alone), and names that differ in one
        letter ``l``/``r`` which may or may not mean sides (``lear``, ``rear``). In a mirrored
        image nobody can tell where they belong.
        """
        paired = {self.keypoints[k] for pair in self.mirror_pairs() for k in pair}
        others = {name.casefold() for name in self.keypoints}
        return tuple(
            name
            for name in self.keypoints
            if name not in paired
            and (_other_side(name) is not None or not others.isdisjoint(_nearly(name.casefold())))
        )


def _other_side(name: str) -> str | None:
    for left, right in _SIDES:
        if left in name:
            return name.replace(left, right)
        if right in name:
            return name.replace(right, left)
    match = _SIDE.search(name)
    if match is None:
        return None
    letter = {"L": "R", "R": "L", "l": "r", "r": "l"}[match.group()]
    return name[: match.start()] + letter + name[match.end() :]


def _nearly(name: str) -> set[str]:
    """Return the names that differ from `name` in one letter, an l for an r or the reverse."""
    swap = {"l": "r", "r": "l"}
    return {name[:n] + swap[c] + name[n + 1 :] for n, c in enumerate(name) if c in swap}
