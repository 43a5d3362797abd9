"""A turn's attempts as people read them: equal answers together, each with what it has other than the truth."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation.models import Generation, Run
from curation.stages.facets import label_of
from curation.stages.pool import comparator_of
from toolcalls.answers import Answer, Call, Calls, ParseFailure
from toolcalls.comparing import Comparator
from toolcalls.differing import CallDiff, Kind, align
from toolcalls.places import change_text, path_text
from toolcalls.records import Sample
from toolcalls.schema import check_calls
from toolcalls.selection import answer_of

MOST_BREAKS = 12  # breaches of schemas that a page lists of an answer
LONGEST = 20_000  # characters of an answer that a page shows


@dataclass(frozen=True, slots=True)
class ParameterView:
    """One parameter of a call, values as JSON; empty where that side has none.

    `places`: of a value with values inside it, the places in it that differ, e.g. `rooms[1].beds: 2 → 1`.
    """

    name: str
    kind: Kind
    expected: str
    given: str
    omitted: bool
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallView:
    name: str
    kind: Kind
    parameters: tuple[ParameterView, ...]


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """Attempts that give the same answer. `calls` is empty where there is nothing to compare: `text` tells all then.

    `form`: the dialect that the first of them is written in, `tolerated` what had to be looked past to read it, `unreadable`
    why it cannot be read. `breaks`: what of its calls the tools' schemas do not allow.
    """

    count: int
    attempts: str  # their numbers, e.g. "1, 4, 5"
    label: str
    tone: str
    text: str
    calls: tuple[CallView, ...]
    finish: str
    tokens: str
    form: str
    tolerated: tuple[str, ...]
    unreadable: str
    breaks: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether its calls are the truth's."""
        return bool(self.calls) and all(call.kind == "same" for call in self.calls)


def answer_groups(rows: Sequence[Generation], sample: Sample, run: Run) -> tuple[AnswerGroup, ...]:
    """The attempts by equal parsed answer: hits first, exact ones before near ones, then the most frequent."""
    groups: dict[Any, list[Generation]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.attempt):
        groups[row.answer_key, row.finish_reason].append(row)
    comparator, tolerance = comparator_of(run.choices), run.choices.tolerance
    ordered = sorted(groups.values(), key=lambda group: (_distance(group[0], tolerance), -len(group), group[0].attempt))
    return tuple(_group(group, sample, comparator, tolerance) for group in ordered)


def _distance(row: Generation, tolerance: int) -> int:
    difference = row.max_param_diff
    return difference if difference is not None and difference <= tolerance else tolerance + 1


def _group(rows: Sequence[Generation], sample: Sample, comparator: Comparator, tolerance: int) -> AnswerGroup:
    first, tokens = rows[0], [row.completion_tokens for row in rows]
    answer = answer_of(first.text, comparator)
    read = answer if isinstance(answer, Calls) else Calls((), "")
    label, tone = _judged(first, tolerance)
    return AnswerGroup(
        count=len(rows),
        attempts=", ".join("greedy" if row.attempt < 0 else str(row.attempt + 1) for row in rows),
        label=label,
        tone=tone,
        text=first.text[:LONGEST],
        calls=_beside(sample, answer, comparator) if first.finish_reason == "stop" else (),
        finish="" if first.finish_reason == "stop" else label_of("outcome", "truncated"),
        tokens=f"{min(tokens)}" if min(tokens) == max(tokens) else f"{min(tokens)}–{max(tokens)}",
        form=read.form,
        tolerated=read.tolerated,
        unreadable=f"{answer.reason}, at character {answer.position + 1}" if isinstance(answer, ParseFailure) else "",
        breaks=tuple(check_calls(read.calls, sample.tools)[:MOST_BREAKS]),
    )


def _judged(row: Generation, tolerance: int) -> tuple[str, str]:
    difference = row.max_param_diff
    if difference == 0:
        return "exact", "good"
    if difference is not None and difference <= tolerance:
        return f"near: {difference} parameter{'s' if difference > 1 else ''} off", "near"
    if difference is not None:
        return f"{difference} parameters off", "miss"
    return label_of("outcome", row.reason), "miss"


def call_views(sample: Sample, text: str, comparator: Comparator) -> tuple[CallView, ...]:
    """An answer's calls beside the truth's; empty where one of them calls nothing or cannot be read."""
    return _beside(sample, answer_of(text, comparator), comparator)


def _beside(sample: Sample, answer: Answer, comparator: Comparator) -> tuple[CallView, ...]:
    if sample.truth is None or not isinstance(answer, Calls):
        return ()
    return between(sample.truth, answer.calls, sample, comparator)


def between(one: Sequence[Call], other: Sequence[Call], sample: Sample, comparator: Comparator) -> tuple[CallView, ...]:
    return tuple(_call(diff) for diff in align(one, other, sample.tools, comparator))


def _call(diff: CallDiff) -> CallView:
    parameters = (
        ParameterView(
            one.name,
            one.kind,
            "" if one.kind == "extra" else json.dumps(one.expected, ensure_ascii=False),
            "" if one.kind == "missing" else json.dumps(one.given, ensure_ascii=False),
            one.omitted,
            tuple(
                f"{path_text('', place.steps)}: {change_text(place.expected, place.given, place.kind)}"
                for place in one.places
                if place.steps
            ),
        )
        for one in diff.parameters
    )
    return CallView(diff.name, diff.kind, tuple(parameters))
