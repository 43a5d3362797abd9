"""How far an output is from the truth: max_param_diff, whose 0 is A = A′ and whose ≤ 1 is A ≈ A′ (ToolACE-R §3.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from toolcalls.answers import Call, Json
from toolcalls.canonical import answer_key, canonical_calls, canonical_value, normal_text, text_equal
from toolcalls.pairing import bottleneck_pairing
from toolcalls.schema import Tool, defaults, tool_name

__all__ = ["Comparator", "Comparison", "Difference", "answer_key", "text_equal"]

RULES = "1"  # goes up whenever the same calls would be judged differently
MAX_CALLS = 128  # calls of one tool name that are paired; more is `too_many_calls`


@dataclass(frozen=True, slots=True)
class Difference:
    """One parameter in which a pair of calls differs. `truth` and `output` are positions in the lists of calls.

    A value that one side does not have is None there, as `kind` says: "value" (both have one), "missing" (the output does
    not have it), "extra" (the truth does not).
    """

    truth: int
    output: int
    parameter: str
    expected: Json
    given: Json
    kind: Literal["value", "missing", "extra"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """max_param_diff: least, over one-to-one pairings, of the largest number of differences in a pair; None: no pairing.

    reason: "" up to the tolerance, else param_mismatch, too_many_calls, wrong_count or wrong_tool.
    """

    max_param_diff: int | None
    reason: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparator:
    """The rules of A = A′ and A ≈ A′. Not in charge of texts that are no calls: see `selection.judge`."""

    schema_defaults: bool = True  # Deviation: an omitted optional parameter equals its schema default
    tolerance: int = 1  # parameters that may differ in a pair of an approximate answer; §3.2: 1

    @property
    def version(self) -> str:
        """What makes two comparators judge alike, stored beside every judgement, e.g. "1:schema_defaults,tolerance=1"."""
        return f"{RULES}:{'schema_defaults,' if self.schema_defaults else ''}tolerance={self.tolerance}"

    def compare(self, truth: Sequence[Call], output: Sequence[Call], tools: Sequence[Tool] = ()) -> Comparison:
        """Compare two lists of calls, order free; `tools` supply the schema defaults."""
        if len(truth) != len(output):
            return Comparison(None, "wrong_count")
        if Counter(map(_name, truth)) != Counter(map(_name, output)):
            return Comparison(None, "wrong_tool")
        if canonical_calls(truth) == canonical_calls(output):
            return Comparison(0, "")
        if max(Counter(map(_name, truth)).values(), default=0) > MAX_CALLS:
            return Comparison(None, "too_many_calls")
        filled = self.defaults_of(tools)
        per_pair = _paired_differences(Side(truth, filled), Side(output, filled))
        largest = max((len(differences) for differences in per_pair), default=0)
        flat = tuple(difference for differences in per_pair for difference in differences)
        return Comparison(largest, "" if largest <= self.tolerance else "param_mismatch", flat)

    def defaults_of(self, tools: Sequence[Tool]) -> dict[str, dict[str, Json]]:
        """Tool name → the values that a call of it may omit; empty where omitting counts as a difference."""
        if not self.schema_defaults:
            return {}
        return {normal_text(tool_name(tool)): defaults(tool) for tool in reversed(tools)}


class Side:
    """One list of calls, prepared: arguments with defaults filled in, also as canonical texts; positions by tool name."""

    def __init__(self, calls: Sequence[Call], filled: dict[str, dict[str, Json]]) -> None:
        self.values = [_by_normal_name({**filled.get(_name(call), {}), **call.arguments}) for call in calls]
        self.texts = [{name: canonical_value(value) for name, value in values.items()} for values in self.values]
        self.positions: dict[str, list[int]] = defaultdict(list)
        for position, call in enumerate(calls):
            self.positions[_name(call)].append(position)


def _by_normal_name(values: dict[str, Json]) -> dict[str, Json]:
    return {normal_text(name): value for name, value in values.items()}


def _name(call: Call) -> str:
    return normal_text(call.name)


def _paired_differences(truth: Side, output: Side) -> list[tuple[Difference, ...]]:
    """The differences of each pair of the optimal pairing, in the truth's order of tools."""
    found: list[tuple[Difference, ...]] = []
    for name, rows in truth.positions.items():
        columns = output.positions[name]
        costs = [[differing(truth.texts[row], output.texts[column]) for column in columns] for row in rows]
        for row, chosen in zip(rows, bottleneck_pairing(costs), strict=True):
            found.append(_differences(truth, row, output, columns[chosen]))
    return found


def differing(one: dict[str, str], other: dict[str, str]) -> int:
    """The number of parameters, in the union of names, whose values differ or are missing on one side."""
    equal = sum(1 for name, value in one.items() if other.get(name) == value)
    return len(one.keys() | other.keys()) - equal


def _differences(truth: Side, row: int, output: Side, column: int) -> tuple[Difference, ...]:
    one, other = truth.texts[row], output.texts[column]
    expected, given = truth.values[row], output.values[column]
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return tuple(
        Difference(row, column, name, expected.get(name), given.get(name), _kind(name in one, name in other)) for name in names
    )


def _kind(in_truth: bool, in_output: bool) -> Literal["value", "missing", "extra"]:
    if not in_truth:
        return "extra"
    return "value" if in_output else "missing"
