"""What differs between an answer's calls and the truth's, call by call and parameter by parameter, for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from toolcalls.answers import Call, Json
from toolcalls.comparing import Comparator, parameter_places
from toolcalls.equality import by_name
from toolcalls.partners import loose_partners, partners
from toolcalls.places import Place, change_text, path_text
from toolcalls.schema import Tool
from toolcalls.sides import Measure, PreparedCall, Side

Kind = Literal["same", "changed", "missing", "extra"]
_SHORT = 32  # characters of a value in a summary


@dataclass(frozen=True, slots=True)
class ParameterDiff:
    """One parameter of a pair of calls; a side that does not give it has None there, as `kind` and `omitted` say.

    kind: "same", "changed" (both have a value), "missing" (the answer has none), "extra" (the truth has none).
    omitted: one side leaves it to the schema's default, which is what the other side gives.
    places: of a changed one, the deepest places that differ; one without steps is the value itself.
    """

    name: str
    kind: Kind
    expected: Json = None
    given: Json = None
    omitted: bool = False
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class CallDiff:
    """A call of the truth beside the answer's call that it is paired with; a position is None where there is no such call.

    differences: what the comparator counts for this pair; of a call that stands alone, its parameters.
    """

    name: str
    kind: Kind
    truth: int | None
    output: int | None
    parameters: tuple[ParameterDiff, ...]
    differences: int = 0


def align(
    truth: Sequence[Call], output: Sequence[Call], tools: Sequence[Tool] = (), comparator: Comparator | None = None
) -> tuple[CallDiff, ...]:
    """Pair the calls as `Comparator.compare` does; where a tool is not called equally often, the nearest calls with each other.

    Calls that have no partner stand alone, as missing or extra. In the order of the truth, extra calls last.
    """
    comparator = comparator or Comparator()
    measure = comparator.measure
    one, other = comparator.sides(truth, output, tools)
    partner: dict[int, int] = {}
    for name, rows in one.positions.items():
        partner.update(_pairs(one, rows, other, other.positions.get(name, []), measure))
    taken = set(partner.values())
    paired = [
        _pair((call, output[partner[row]]), one, other, (row, partner[row]), measure)
        if row in partner
        else _alone(call, "missing", row, None)
        for row, call in enumerate(truth)
    ]
    alone = [_alone(output[column], "extra", None, column) for column in range(len(output)) if column not in taken]
    return (*paired, *alone)


def _pairs(one: Side, rows: Sequence[int], other: Side, columns: Sequence[int], measure: Measure) -> dict[int, int]:
    """Partners among calls of one tool."""
    calls, against = [one.calls[row] for row in rows], [other.calls[column] for column in columns]
    chosen = partners(calls, against, measure) if len(calls) == len(against) else None
    found = enumerate(chosen) if chosen is not None else loose_partners(calls, against, measure).items()
    return {rows[row]: columns[column] for row, column in found}


def _pair(calls: tuple[Call, Call], one: Side, other: Side, at: tuple[int, int], measure: Measure) -> CallDiff:
    said = [by_name(call.arguments).keys() for call in calls]
    call, against = one.calls[at[0]], other.calls[at[1]]
    parameters = tuple(
        _parameter(call, against, name, measure, omitted=any(name not in names for names in said))
        for name in dict.fromkeys((*said[0], *said[1]))
    )
    kind: Kind = "same" if all(parameter.kind == "same" for parameter in parameters) else "changed"
    return CallDiff(calls[0].name, kind, *at, parameters, measure(call, against))


def _parameter(call: PreparedCall, against: PreparedCall, name: str, measure: Measure, *, omitted: bool) -> ParameterDiff:
    places = parameter_places(call, against, name, measure)
    expected, given = call.values.get(name), against.values.get(name)
    if not places:
        return ParameterDiff(name, "same", expected, given, omitted)
    if name in call.values and name in against.values:
        return ParameterDiff(name, "changed", expected, given, omitted, places)
    return ParameterDiff(name, "missing" if name in call.values else "extra", expected, given)


def _alone(call: Call, kind: Kind, row: int | None, column: int | None) -> CallDiff:
    missing = kind == "missing"
    parameters = (
        ParameterDiff(name, kind, value if missing else None, None if missing else value)
        for name, value in call.arguments.items()
    )
    return CallDiff(call.name, kind, row, column, tuple(parameters), len(call.arguments))


def summary(calls: Sequence[CallDiff], most: int = 3) -> str:
    """The differences on one line, at most `most` of them, e.g. `hotel(city: "Rome" → "Roma")`; empty when there is none."""
    told = [_told(call) for call in calls if call.kind != "same"]
    more = f", and {len(told) - most} more" if len(told) > most else ""
    return ", ".join(told[:most]) + more


def _told(call: CallDiff) -> str:
    if call.kind != "changed":
        return f"{call.kind} {call.name}"
    return f"{call.name}({', '.join(line for one in call.parameters for line in changes(one))})"


def changes(one: ParameterDiff) -> list[str]:
    """What differs in a parameter, a line for each place, e.g. `address.city: "Rome" → "Roma"`; none where it is the same."""
    if one.kind == "same":
        return []
    found = one.places if one.kind == "changed" else (Place((), one.expected, one.given, one.kind),)
    return [f"{path_text('', (one.name, *at.steps))}: {change_text(at.expected, at.given, at.kind, _SHORT)}" for at in found]
