"""Estimates in words: tokens, device time and disk with their bounds, beside what a run has taken and what is left of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from curation.models.shards import StageKind
from curation.stages.estimating import Estimate, StageEstimate
from curation.stages.spans import Span
from curation.stages.spending import Spending, StageSpending
from curation.templatetags.numbers import duration

HEAD_OF_ESTIMATE = ("", "Device time", "Samples or rows", "Prompt tokens", "Tokens written")  # a phone shows the first ones
HEAD_OF_SPENDING = ("", "Estimated", "So far", "Left", "Tokens written so far")
SIZES = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class Table:
    """The first cell of a row is its name. `notes` are sentences below it."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """For a terminal."""
        lines = [self.head, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        written = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
        return "\n".join([*written, *(f"- {note}" for note in self.notes)])


def estimate_table(estimate: Estimate) -> Table:
    """A stage in a row, and all of them."""
    rows = [_estimated(stage) for stage in estimate.stages]
    tokens = (span_text(span, amount) for span in (estimate.prompt_tokens, estimate.completion_tokens))
    rows.append(("All", span_text(estimate.seconds, duration), "", *tokens))
    return Table(HEAD_OF_ESTIMATE, tuple(rows), (disk_text(estimate), *estimate.basis))


def disk_text(estimate: Estimate) -> str:
    """In a sentence."""
    rows = f"{span_text(estimate.generations, amount)} generations, {span_text(estimate.generation_bytes, size)} in Postgres"
    checkpoints = estimate.checkpoint_bytes
    if checkpoints is None:
        return f"disk: {rows}; the base is not on this host, so checkpoints are not counted"
    return f"disk: {rows}" + (f"; {span_text(checkpoints, size)} of checkpoints" if checkpoints.most else "")


def spending_table(spending: Spending) -> Table:
    rows = [_spent(stage, spending) for stage in spending.stages]
    estimated = "–" if spending.estimate is None else span_text(spending.estimate.seconds, duration)
    tokens = sum(stage.completion_tokens or 0 for stage in spending.stages)
    so_far = _so_far(sum(stage.units for stage in spending.stages), spending.seconds)
    rows.append(("All", estimated, so_far, _left_text(spending), amount(tokens) if tokens else "–"))
    return Table(HEAD_OF_SPENDING, tuple(rows), tuple(_notes(spending)))


def _estimated(stage: StageEstimate) -> tuple[str, ...]:
    tokens = (span_text(span, amount) for span in (stage.prompt_tokens, stage.completion_tokens))
    seconds = "not known" if stage.seconds is None else span_text(stage.seconds, duration)
    return (StageKind(stage.kind).label, seconds, span_text(stage.units, amount), *tokens)


def _spent(stage: StageSpending, spending: Spending) -> tuple[str, ...]:
    expected = stage.estimate
    estimated = "–" if expected is None else "not known" if expected.seconds is None else span_text(expected.seconds, duration)
    left = "–" if spending.over else "not known" if stage.left_seconds is None else duration(stage.left_seconds)
    if stage.left and not spending.over:
        left += f", {amount(stage.left)} {'rows' if stage.kind == StageKind.TRAINING else 'samples'}"
    tokens = "–" if stage.completion_tokens is None else amount(stage.completion_tokens)
    return (StageKind(stage.kind).label, estimated, _so_far(stage.units, stage.seconds), left, tokens)


def _so_far(units: int, seconds: float) -> str:
    """A release before this one did not record when a shard was begun."""
    return "–" if units and not seconds else duration(seconds)


def _left_text(spending: Spending) -> str:
    if spending.over:
        return "–"
    known = duration(spending.left_seconds)
    return f"{known} and what is not known" if spending.unknown else known


def _notes(spending: Spending) -> list[str]:
    taken = f"disk: {size(spending.generation_bytes)} of generations, {size(spending.checkpoint_bytes)} of checkpoints"
    if spending.estimate is not None:
        of_rows, of_files = spending.estimate.generation_bytes, spending.estimate.checkpoint_bytes
        told = [span_text(of_rows, size), *([] if of_files is None else [span_text(of_files, size)])]
        taken += f" (estimated: {' and '.join(told)})"
    notes = [taken]
    if not spending.over:
        notes.append("left is what all of max_iterations would take; a run that saturates ends sooner")
        if spending.devices > 1 and not spending.unknown:
            share = duration(spending.left_seconds / spending.devices)
            notes.append(
                f"{spending.devices} workers are at it: {share} if all stages could be shared so; a training is one worker's"
            )
    if spending.estimate is None:
        notes.append("nothing was measured of this data, base and engine before the run was created")
    return notes


def span_text(span: Span, written: Callable[[float], str]) -> str:
    """The likely number, and what it is at least and at most where that reads otherwise."""
    least, likely, most = written(span.least), written(span.likely), written(span.most)
    return likely if least == likely == most else f"{likely} ({least} to {most})"


def amount(number: float) -> str:
    """In three digits: 950, 12.4 k, 3.1 M."""
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= scale:
            return f"{number / scale:.3g} {unit}" if number < 999.5 * scale else f"{number / scale:,.0f} {unit}"
    return f"{number:.0f}"


def size(number: float) -> str:
    """Bytes, in steps of a thousand."""
    step = 0
    while number >= 1000 and step < len(SIZES) - 1:
        number, step = number / 1000, step + 1
    return f"{number:.3g} {SIZES[step]}"
