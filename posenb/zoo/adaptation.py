"""What came of an adaptation: the measures before and after, and whether it is kept."""

from __future__ import annotations

import html
from dataclasses import dataclass

from posenb.project import Run
from posenb.zoo.consistency import Consistency

__all__ = ["Adaptation", "Check", "compare"]

_CLOSER = 0.9  # of the distance of the views before, at most
_NEAR = 0.03  # of an animal's length: so far may a keypoint move that was sure, or not taught
_HEAD = ("on held-out frames", "before", "after", "wanted", "passed")
_FIGURES = (1, 2)  # columns


@dataclass(frozen=True, slots=True)
class Check:
    """One of the measures that an adapted model must pass.

    Parameters
    ----------
    measure : str
        What is measured, with its unit.
    before, after : str
        As they are shown.
    wanted : str
        The rule.
    passed : bool
    """

    measure: str
    before: str
    after: str
    wanted: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What came of an adaptation; it shows itself as a table.

    Parameters
    ----------
    model : str
        What to give to `posenb.zoo.analyze` from now on: the folder of the adapted model, or
        the model as it was given.
    kept : bool
        Whether the adapted model passed every check, and so takes the place of the other.
    reason : str
        Why, in a sentence.
    before : Consistency
        Of the model as it was, on the held-out frames.
    after : Consistency or None
        Of the adapted model on the same frames; None where there was too little to learn from.
    checks : tuple of Check
        Each measure with its rule; empty where there was too little to learn from.
    taught, held_out : int
        Frames that trained, and frames that were measured.
    run : Run or None
        The training, as `posenb.analyze` takes it; there whether its model is kept or not.
    """

    model: str
    kept: bool
    reason: str
    before: Consistency
    after: Consistency | None
    checks: tuple[Check, ...]
    taught: int
    held_out: int
    run: Run | None

    def __repr__(self) -> str:
        """Show the table and the verdict."""
        rows = self._rows()
        if not rows:
            return self.reason
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
        lines = [
            "  ".join(
                f"{cell:{'>' if column in _FIGURES else '<'}{widths[column]}}"
                for column, cell in enumerate(row)
            ).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, "", self._caption(), self.reason])

    def _repr_html_(self) -> str:
        verdict = f"<p><b>{html.escape(self.reason)}</b></p>"
        head, *rows = [[html.escape(cell) for cell in row] for row in self._rows() or [_HEAD]]
        if not rows:
            return verdict
        first = "".join(f'<th style="{_style(n)}">{cell}</th>' for n, cell in enumerate(head))
        lines = "".join(
            "<tr>"
            + "".join(f'<td style="{_style(n)}">{cell}</td>' for n, cell in enumerate(row))
            + "</tr>"
            for row in rows
        )
        return (
            f'{verdict}<div style="overflow-x: auto; max-width: 100%"><table><thead><tr>{first}'
            f"</tr></thead><tbody>{lines}</tbody></table></div><p>{html.escape(self._caption())}</p>"
        )

    def _rows(self) -> list[tuple[str, ...]]:
        if not self.checks:
            return []
        return [
            _HEAD,
            *(
                (each.measure, each.before, each.after, each.wanted, "yes" if each.passed else "NO")
                for each in self.checks
            ),
        ]

    def _caption(self) -> str:
        return (
            f"Learned from {self.taught} frames, measured on {self.held_out} others. "
            "This is consistency and not truth: look at what it finds."
        )


def _style(column: int) -> str:
    return f"text-align: {'right' if column in _FIGURES else 'left'}; padding: 2px 10px"


def compare(
    before: Consistency, after: Consistency, moved: float, strayed: float, length: float
) -> tuple[Check, ...]:
    """Hold an adapted model against what it was.

    It is no better for being at one with itself in what is wrong; so beside closer views it
    must find as much as before, not jump more, and stay where it was sure or was taught nothing.

    Parameters
    ----------
    before, after : Consistency
    moved, strayed : float
        From `posenb.zoo.consistency`, pixels.
    length : float
        Of the animals, pixels.

    Returns
    -------
    tuple of Check
        A measure that is NaN is not passed.
    """
    return (
        Check(
            "views of a frame apart, px",
            f"{before.apart:.2f}",
            f"{after.apart:.2f}",
            f"at least {1 - _CLOSER:.0%} less",
            after.apart <= _CLOSER * before.apart and before.apart > 0,
        ),
        Check(
            "points found",
            f"{before.found:.1%}",
            f"{after.found:.1%}",
            "not fewer",
            after.found >= before.found,
        ),
        Check(
            "jumps of found points, px",
            f"{before.jump:.2f}",
            f"{after.jump:.2f}",
            "not more",
            after.jump <= before.jump,
        ),
        Check(
            "moved where it was sure, px",
            "",
            f"{moved:.2f}",
            f"at most {_NEAR * length:.2f}",
            moved <= _NEAR * length,
        ),
        Check(
            "moved though not taught, px",
            "",
            f"{strayed:.2f}",
            f"at most {_NEAR * length:.2f}",
            strayed <= _NEAR * length,
        ),
    )
