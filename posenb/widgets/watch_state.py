"""What a watcher says of a training: pure, from what was observed to words and numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from posenb.jobs import Observation, Phase, Row
from posenb.widgets.quantities import say_seconds

__all__ = ["Shown", "best_row", "describe", "seconds_left", "text_of"]

_RECENT = 5  # validations from whose pace the rest is estimated

_TITLES: dict[Phase, str] = {
    "starting": "Starting",
    "training": "Training",
    "stopping": "Stopping",
    "stopped": "Stopped",
    "failed": "Failed",
    "died": "Died",
    "finished": "Finished",
}
_KEPT = "Everything up to its last checkpoint is kept: resume, and it goes on from there."
_MENDED = "Once the cause is gone, resume: it goes on from its last checkpoint."
_DIED = (
    "The process is gone, as when it is killed for lack of memory or its machine is switched off. "
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a training, beside its curves.

    Parameters
    ----------
    phase : str
        As in `Observation`.
    title : str
        The phase in words.
    facts : tuple of str
        How far it is, how long it takes.
    note : str
        What to know or do; may be empty.
    trouble : str
        What went wrong; may be empty.
    log : tuple of str
        The last lines that were printed before that.
    fraction : float
        Share of the steps that are done, 0 to 1.
    can_stop, can_resume : bool
    """

    phase: Phase
    title: str
    facts: tuple[str, ...]
    note: str
    trouble: str
    log: tuple[str, ...]
    fraction: float
    can_stop: bool
    can_resume: bool


def best_row(rows: Sequence[Row]) -> Row | None:
    """Return the validation with the lowest error; None where none could be measured."""
    measured = [row for row in rows if not math.isnan(row.validation_error)]
    return min(measured, key=lambda row: row.validation_error, default=None)


def seconds_left(seen: Observation) -> float | None:
    """Estimate how long the remaining steps take; None before the first validation.

    It is the most that it takes: without a better validation for long, training stops early.
    """
    pace = _seconds_per_step(seen.rows)
    if pace is None:
        return None
    rest = (seen.config.steps - seen.rows[-1].step) * pace
    return max(0.0, rest - (seen.at - seen.row_at))


def _seconds_per_step(rows: Sequence[Row]) -> float | None:
    """Return the pace of the last validations; the first includes compiling, so it counts last."""
    if not rows:
        return None
    recent = rows[-_RECENT - 1 :]
    paces = [(b.seconds - a.seconds) / (b.step - a.step) for a, b in itertools.pairwise(recent)]
    return median(paces) if paces else rows[0].seconds / rows[0].step


def _next_in(seen: Observation) -> str:
    """Tell when the next validation is to be expected; nothing before the first one."""
    pace = _seconds_per_step(seen.rows)
    if pace is None:
        return ""
    left = pace * seen.config.validate_every - (seen.at - seen.row_at)
    return f", in about {say_seconds(round(max(left, 1)))}"


def describe(seen: Observation) -> Shown:
    """Put into words how a training goes."""
    rows, steps = seen.rows, seen.config.steps
    done = rows[-1].step if rows else 0
    facts = [f"step {done} of {steps}"] if done else [f"{steps} steps"]
    note, trouble = "", ""
    left = seconds_left(seen)
    if seen.phase == "training":
        if left is None:
            facts.append(f"first figures at step {min(seen.config.validate_every, steps)}")
        else:
            facts.append(f"at most {say_seconds(max(left, 1))} left")
    elif seen.phase == "finished":
        facts = [f"{done} steps"]
        if rows:
            facts.append(f"trained for {say_seconds(rows[-1].seconds)}")
        if 0 < done < steps:
            note = f"It ended before step {steps}: validation had stopped improving."
    elif seen.phase == "starting":
        note = "It loads the network and the frames. You can go on with your work meanwhile."
    elif seen.phase == "stopping":
        note = f"It stops after its next validation{_next_in(seen)}, with a checkpoint."
    elif seen.phase == "stopped":
        note = "Resume, and it goes on as if it had never stopped."
    else:
        reason = seen.record.message if seen.record is not None else ""
        trouble = reason if seen.phase == "failed" else _DIED
        note = _KEPT if seen.phase == "died" else _MENDED
    return Shown(
        phase=seen.phase,
        title=_TITLES[seen.phase],
        facts=tuple(facts + _where(seen)),
        note=note,
        trouble=trouble.strip(),
        log=seen.log,
        fraction=1.0 if seen.phase == "finished" else min(1.0, done / steps),
        can_stop=seen.phase in ("starting", "training"),
        can_resume=seen.phase in ("stopped", "failed", "died"),
    )


def _where(seen: Observation) -> list[str]:
    """Tell on which other machine it trains, or trained."""
    if seen.record is None or seen.record.here or seen.phase == "finished":
        return []
    return [f"on {seen.record.host}"]


def text_of(seen: Observation) -> str:
    """Tell how a training goes in a few lines of plain text."""
    shown = describe(seen)
    lines = [f"{seen.run.name}: {' · '.join((shown.title.lower(), *shown.facts))}"]
    if seen.rows:
        last, best = seen.rows[-1], best_row(seen.rows)
        figures = f"  loss {last.loss:.4g}"
        if best is not None:
            figures += (
                f", validation error {last.validation_error:.2f} px"
                f" (best {best.validation_error:.2f} px at step {best.step})"
            )
        lines.append(figures)
    lines += [f"  {text}" for text in (shown.trouble, shown.note) if text]
    lines += [f"  | {line}" for line in shown.log]
    return "\n".join(lines)
