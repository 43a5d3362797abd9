"""What differs between an answer's calls and the truth's, call by call and parameter by parameter, for people to read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from toolcalls.answers import Call, Json
from toolcalls.canonical import normal_text
from toolcalls.comparing import MAX_CALLS, Comparator, Side, differing
from toolcalls.pairing import bottleneck_pairing
from toolcalls.schema import Tool

Kind = Literal["same", "changed", "missing", "extra"]


@dataclass(frozen=True, slots=True)
class ParameterDiff:
    """One parameter of a pair of calls; a side that does not give it has None there, as `kind` and `omitted` say.

    kind: "same", "changed" (both have a value), "missing" (the answer has none), "extra" (the truth has none).
    omitted: one side leaves it to the schema's default, which is what the other side gives.
    """

    name: str
    kind: Kind
    expected: Json = None
    given: Json = None
    omitted: bool = False


@dataclass(frozen=True, slots=True)
class CallDiff:
    """A call of the truth beside the answer's call that it is paired with; a position is None where there is no such call."""

    name: str
    kind: Kind
    truth: int | None
    output: int | None
    parameters: tuple[ParameterDiff, ...]

    @property
    def differences(self) -> int:
        """How many parameters differ: what the comparator counts for this pair."""
        return sum(parameter.kind != "same" for parameter in self.parameters)


def align(
    truth: Sequence[Call], output: Sequence[Call], tools: Sequence[Tool] = (), comparator: Comparator | None = None
) -> tuple[CallDiff, ...]:
    """Pair the calls as `Comparator.compare` does, by name and then so that the largest difference is least.

    Calls that have no partner stand alone, as missing or extra. In the order of the truth, extra calls last.
    """
    filled = (comparator or Comparator()).defaults_of(tools)
    one, other = Side(truth, filled), Side(output, filled)
    partner: dict[int, int] = {}
    for name, rows in one.positions.items():
        partner.update(_pairs(one, rows, other, other.positions.get(name, [])))
    taken = set(partner.values())
    paired = [_pair(truth, output, one, other, row, partner.get(row)) for row in range(len(truth))]
    alone = [_alone(output[column], "extra", None, column) for column in range(len(output)) if column not in taken]
    return (*paired, *alone)


def _pairs(one: Side, rows: Sequence[int], other: Side, columns: Sequence[int]) -> dict[int, int]:
    """Partners among calls of one name. Where the sides are not equally many, partners that cost nothing fill up the fewer."""
    if max(len(rows), len(columns)) > MAX_CALLS:
        return dict(zip(rows, columns, strict=False))
    size = max(len(rows), len(columns))
    costs = [
        [
            differing(one.texts[rows[row]], other.texts[columns[column]]) if row < len(rows) and column < len(columns) else 0
            for column in range(size)
        ]
        for row in range(size)
    ]
    chosen = bottleneck_pairing(costs)
    return {rows[row]: columns[chosen[row]] for row in range(len(rows)) if chosen[row] < len(columns)}


def _pair(truth: Sequence[Call], output: Sequence[Call], one: Side, other: Side, row: int, column: int | None) -> CallDiff:
    if column is None:
        return _alone(truth[row], "missing", row, None)
    said = [[normal_text(name) for name in call.arguments] for call in (truth[row], output[column])]
    parameters = tuple(
        ParameterDiff(
            name,
            _kind(one.texts[row].get(name), other.texts[column].get(name)),
            one.values[row].get(name),
            other.values[column].get(name),
            omitted=(name not in said[0] and name in one.values[row]) or (name not in said[1] and name in other.values[column]),
        )
        for name in dict.fromkeys((*said[0], *said[1]))
    )
    kind: Kind = "same" if all(parameter.kind == "same" for parameter in parameters) else "changed"
    return CallDiff(truth[row].name, kind, row, column, parameters)


def _kind(expected: str | None, given: str | None) -> Kind:
    if expected == given:
        return "same"
    return "extra" if expected is None else "missing" if given is None else "changed"


def _alone(call: Call, kind: Kind, row: int | None, column: int | None) -> CallDiff:
    missing = kind == "missing"
    parameters = (
        ParameterDiff(name, kind, value if missing else None, None if missing else value)
        for name, value in call.arguments.items()
    )
    return CallDiff(call.name, kind, row, column, tuple(parameters))


def summary(calls: Sequence[CallDiff], most: int = 3) -> str:
    """The differences on one line, at most `most` of them, e.g. `hotel(city: "Rome" → "Roma")`; empty when there is none."""
    told = [_told(call) for call in calls if call.kind != "same"]
    more = f", and {len(told) - most} more" if len(told) > most else ""
    return ", ".join(told[:most]) + more


def _told(call: CallDiff) -> str:
    if call.kind != "changed":
        return f"{call.kind} {call.name}"
    return f"{call.name}({', '.join(_told_parameter(one) for one in call.parameters if one.kind != 'same')})"


def _told_parameter(one: ParameterDiff) -> str:
    match one.kind:
        case "missing":
            return f"{one.name}: {_short(one.expected)} → nothing"
        case "extra":
            return f"{one.name}: nothing → {_short(one.given)}"
    return f"{one.name}: {_short(one.expected)} → {_short(one.given)}"


def _short(value: Json, most: int = 32) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[:most]}…"
