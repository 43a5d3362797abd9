"""Figure 2 of the paper as geometry: bars of what each iteration selected, lines of held-out accuracy with 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 720, 320  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 64, 64, 30, 40  # margins that hold the axes


@dataclass(frozen=True, slots=True)
class Bar:
    """One iteration's selected rows; the refine pairs stand on the direct samples."""

    x: float
    width: float
    direct_y: float
    direct_height: float
    refine_y: float
    refine_height: float
    title: str


@dataclass(frozen=True, slots=True)
class Point:
    """One accuracy with the ends of its interval, all in drawing units."""

    x: float
    y: float
    low_y: float
    high_y: float
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    name: str  # "direct" or "adaptive"
    path: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """Everything that the SVG needs. Accuracy is read on the left axis, the count on the right one."""

    width: int
    height: int
    plot_left: int
    plot_right: int
    plot_bottom: int
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    accuracy_ticks: tuple[Tick, ...]
    count_ticks: tuple[Tick, ...]
    iteration_ticks: tuple[Tick, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class Scale:
    low: float
    high: float

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)

    def ticks(self, step: float) -> list[float]:
        first = math.ceil(self.low / step)
        return [round(n * step, 10) for n in range(first, math.floor(self.high / step) + 1)]


def nice_step(span: float, most: int = 6) -> float:
    """The least of 1, 2, 5 · 10ⁿ that cuts `span` into at most `most` parts."""
    unit: float = 10.0 ** math.floor(math.log10(span / most)) if span > 0 else 1.0
    return next(unit * factor for factor in (1, 2, 5, 10, 20) if span / (unit * factor) <= most)


def _accuracy_scale(rows: Sequence[Mapping[str, Any]]) -> Scale:
    ends = [end for row in rows for key in _INTERVALS if row[key] for end in row[key]]
    low, high = (100 * min(ends), 100 * max(ends)) if ends else (0.0, 100.0)
    step = nice_step(max(high - low, 5.0))
    return Scale(max(0.0, math.floor(low / step) * step), min(100.0, math.ceil(high / step) * step))


_INTERVALS = ("heldout_direct_interval", "heldout_adaptive_interval")


def _lines(rows: Sequence[Mapping[str, Any]], xs: Sequence[float], scale: Scale) -> tuple[Line, ...]:
    lines = []
    for name, shift in (("direct", -4.0), ("adaptive", 4.0)):
        points = []
        for row, x in zip(rows, xs, strict=True):
            value, interval = row[f"heldout_{name}"], row[f"heldout_{name}_interval"]
            if value is None or interval is None:
                continue
            title = (
                f"iteration {row['iteration']}: {name} {100 * value:.1f} % ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
            )
            low, high = (scale.y(100 * end) for end in interval)
            points.append(Point(round(x + shift, 1), scale.y(100 * value), low, high, title))
        lines.append(Line(name, " ".join(f"{p.x},{p.y}" for p in points), tuple(points)))
    return tuple(lines)


def _bars(rows: Sequence[Mapping[str, Any]], xs: Sequence[float], scale: Scale, width: float) -> tuple[Bar, ...]:
    bars = []
    for row, x in zip(rows, xs, strict=True):
        if row["selected_direct"] is None:
            continue
        direct, refine = row["selected_direct"], row["selected_refine"] or 0
        y_direct, y_top, y_zero = scale.y(direct), scale.y(direct + refine), scale.y(0)
        title = f"iteration {row['iteration']}: {direct} direct + {refine} refine = {direct + refine} selected"
        height, more = round(y_zero - y_direct, 1), round(y_direct - y_top, 1)
        bars.append(Bar(round(x - width / 2, 1), round(width, 1), y_direct, height, y_top, more, title))
    return tuple(bars)


def figure(rows: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draw the rows of curation.stages.table.iteration_table; None while there is nothing to draw."""
    if not any(row["selected_direct"] is not None or row["heldout_direct"] is not None for row in rows):
        return None
    inner = (WIDTH - LEFT - RIGHT) / len(rows)
    xs = [LEFT + inner * (index + 0.5) for index in range(len(rows))]
    most = max((row["selected_direct"] or 0) + (row["selected_refine"] or 0) for row in rows)
    counts, accuracy = Scale(0, max(most, 1) * 1.15), _accuracy_scale(rows)
    return Figure(
        width=WIDTH,
        height=HEIGHT,
        plot_left=LEFT,
        plot_right=WIDTH - RIGHT,
        plot_bottom=HEIGHT - BOTTOM,
        bars=_bars(rows, xs, counts, min(64.0, inner * 0.5)),
        lines=_lines(rows, xs, accuracy),
        accuracy_ticks=tuple(Tick(accuracy.y(v), f"{v:g} %") for v in accuracy.ticks(nice_step(accuracy.high - accuracy.low))),
        count_ticks=tuple(Tick(counts.y(v), f"{v:g}") for v in counts.ticks(nice_step(counts.high))),
        iteration_ticks=tuple(Tick(round(x, 1), str(row["iteration"])) for row, x in zip(rows, xs, strict=True)),
        summary=_summary(rows),
    )


def _summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """The figure in words, for those who do not see it."""
    parts = []
    for row in rows:
        chosen = "" if row["selected_direct"] is None else f", {row['selected_direct'] + (row['selected_refine'] or 0)} selected"
        score = "" if row["heldout_direct"] is None else f", held-out accuracy {100 * row['heldout_direct']:.1f} % direct"
        parts.append(f"Iteration {row['iteration']}{chosen}{score}.")
    return " ".join(parts)
