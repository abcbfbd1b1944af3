"""The learning curve of a training as it grows: SVG in the colours of the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from posenb.jobs import Row
from posenb.widgets.watch_state import best_row

__all__ = ["CHART_CSS", "charts"]

_WIDTH, _HEIGHT = 440.0, 172.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 1.0, 8.0, 22.0
_TICKS = 4
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_WIDE = 20.0  # from this ratio of largest to smallest on, the axis is logarithmic
_FEW = 40  # points up to which each has a dot

CHART_CSS = """
.pnb .pnb-charts { display: grid; gap: 8px 24px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); }
.pnb .pnb-chart { min-width: 0; max-width: 560px; }
.pnb .pnb-chart > p { display: flex; justify-content: space-between; gap: 12px; margin: 0 0 2px;
  align-items: baseline; line-height: 1.4; }
.pnb .pnb-chart > p > span { color: var(--muted); }
.pnb .pnb-chart > p > b { font-weight: 500; font-variant-numeric: tabular-nums; }
.pnb .pnb-chart svg { display: block; width: 100%; height: auto; overflow: visible; }
.pnb .pnb-chart text { fill: var(--muted); font-size: 11px; font-variant-numeric: tabular-nums; }
.pnb .pnb-chart line { stroke: var(--faint); }
.pnb .pnb-chart polyline { fill: none; stroke: var(--curve); stroke-width: 2;
  stroke-linejoin: round; stroke-linecap: round; }
.pnb .pnb-chart circle { fill: var(--curve); }
.pnb .pnb-chart circle.pnb-best { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.pnb .pnb-validation { --curve: #E69F00; }
.pnb .pnb-loss { --curve: var(--muted); }
"""


def charts(rows: Sequence[Row], steps: int) -> str:
    """Draw validation error and loss against the step, as HTML.

    Parameters
    ----------
    rows : sequence of Row
        The validations so far.
    steps : int
        How many steps there may be: the width of the drawing stands for all of them, so
        that the curve grows into it.

    Returns
    -------
    str
        Empty without a row. Without validation frames the loss stands alone.
    """
    if not rows:
        return ""
    best, last = best_row(rows), rows[-1]
    parts = []
    if best is not None:
        figure = f"{best.validation_error:.2f} px at step {best.step}"
        errors = [(row.step, row.validation_error) for row in rows]
        mark = (best.step, best.validation_error)
        now = f"Validation error now {last.validation_error:.2f} px, best {figure}"
        parts.append(
            _chart("validation", "Validation error, px", f"best {figure}", now)
            + _drawing(errors, steps, now, mark)
        )
    now = f"{last.loss:.4g}"
    parts.append(
        _chart("loss", "Loss", now, f"Loss now {now}")
        + _drawing([(row.step, row.loss) for row in rows], steps, f"Loss now {now}")
    )
    return f'<div class="pnb-charts">{"</div>".join(parts)}</div></div>'


def _chart(kind: str, title: str, figure: str, label: str) -> str:
    return (
        f'<div class="pnb-chart pnb-{kind}" title="{escape(label)}">'
        f"<p><span>{escape(title)}</span><b>{escape(figure)}</b></p>"
    )


def _drawing(
    points: Sequence[tuple[int, float]],
    steps: int,
    label: str,
    best: tuple[int, float] | None = None,
) -> str:
    known = [(step, value) for step, value in points if math.isfinite(value)]
    values = [value for _, value in known]
    logarithmic = min(values) > 0 and max(values) > _WIDE * min(values)
    ticks = _logarithmic(values) if logarithmic else _linear(max(values))
    across = _Scale(0.0, float(steps), _LEFT, _WIDTH - _RIGHT, False)
    ends = (min([*ticks, *values]), max([*ticks, *values])) if logarithmic else (0.0, ticks[-1])
    up = _Scale(*ends, _HEIGHT - _BOTTOM, _TOP, logarithmic)
    parts = []
    for tick in ticks:
        height = f"{up.at(tick):.1f}"
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height}" y2="{height}"/>'
            f'<text x="{_LEFT - 6}" y="{height}" dy="0.35em" text-anchor="end">{tick:g}</text>'
        )
    for tick, anchor in ((0, "start"), (steps / 2, "middle"), (steps, "end")):
        word = "step " if tick == steps else ""
        parts.append(
            f'<text x="{across.at(tick):.1f}" y="{_HEIGHT - 5}" text-anchor="{anchor}">'
            f"{word}{tick:g}</text>"
        )
    places = [(across.at(step), up.at(value)) for step, value in known]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts.append(f'<polyline points="{line}"/>')
    dots = places if len(places) <= _FEW else places[-1:]
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in dots]
    if best is not None:
        x, y = across.at(best[0]), up.at(best[1])
        parts.append(f'<circle class="pnb-best" cx="{x:.1f}" cy="{y:.1f}" r="6"/>')
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


class _Scale:
    """From values to places in the drawing, linear or logarithmic."""

    def __init__(
        self, low: float, high: float, start: float, stop: float, logarithmic: bool
    ) -> None:
        self._of = math.log10 if logarithmic else float
        self._low, self._high = self._of(low), self._of(high)
        self._start, self._stop = start, stop

    def at(self, value: float) -> float:
        """Return where `value` lies."""
        span = self._high - self._low
        share = (self._of(value) - self._low) / span if span else 0.0
        return self._start + share * (self._stop - self._start)


def _linear(most: float) -> list[float]:
    """Return round values from 0 to the first that is not below `most`."""
    if most <= 0:
        return [0.0, 1.0]
    raw = most / _TICKS
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * each for each in _STEPS if size * each >= raw * (1 - 1e-9))
    return [step * n for n in range(math.ceil(most / step - 1e-9) + 1)]


def _logarithmic(values: Sequence[float]) -> list[float]:
    """Return the powers of ten that enclose `values`, and 2 and 5 times them in between."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    all_of = [m * 10.0**e for e in range(low, high + 1) for m in (1, 2, 5)]
    inside = [tick for tick in all_of if min(values) * 0.7 <= tick <= max(values) * 1.4]
    return inside if len(inside) <= _TICKS + 2 else [10.0**e for e in range(low, high + 1)]
