"""How far an output is from the truth: max_param_diff, whose 0 is A = A′ and whose ≤ 1 is A ≈ A′ (ToolACE-R §3.2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from toolcalls.answers import Call, Json
from toolcalls.canonical import answer_key, normal_text, text_equal
from toolcalls.equality import Equality, Folding, by_name
from toolcalls.expected import Expected, Omitted
from toolcalls.partners import MAX_CALLS, partners
from toolcalls.places import Kind, Place, change_text, path_text, told_places
from toolcalls.schema import Tool, defaults, tool_name
from toolcalls.settings import Settings
from toolcalls.sides import Measure, PreparedCall, Side

__all__ = ["MAX_CALLS", "Comparator", "Comparison", "Difference", "answer_key", "comparator_of", "text_equal"]

RULES = "2"  # goes up whenever the same answers would be judged differently


@dataclass(frozen=True, slots=True)
class Difference:
    """One place in which a pair of calls differs. `truth` and `output` are positions in the lists of calls.

    The place is a parameter, or the deepest place inside its value that differs; `path` names it from the tool on, e.g.
    `hotel.address.city` or `hotel.rooms[1]`. A value that one side does not have is None there, as `kind` says: "value"
    (both have one), "missing" (the output does not have it), "extra" (the truth does not).
    """

    truth: int
    output: int
    parameter: str
    path: str
    expected: Json
    given: Json
    kind: Kind

    @property
    def text(self) -> str:
        """The difference in one line, e.g. `hotel.city: "Rome" → "Roma"`."""
        return f"{self.path}: {change_text(self.expected, self.given, self.kind)}"


@dataclass(frozen=True, slots=True, init=False)
class Comparison:
    """max_param_diff: least, over one-to-one pairings, of the largest number of differences in a pair; None: no pairing.

    reason: "" up to the tolerance, else param_mismatch, too_many_calls, wrong_count or wrong_tool. The number counts
    parameters; `differences` tells places, of which a parameter whose value is an object or a list can have several.
    """

    max_param_diff: int | None
    reason: str
    differences: tuple[Difference, ...]

    def __init__(self, max_param_diff: int | None, reason: str, differences: tuple[Difference, ...] = ()) -> None:
        object.__setattr__(self, "max_param_diff", max_param_diff)
        object.__setattr__(self, "reason", reason)
        object.__setattr__(self, "differences", differences)


@dataclass(frozen=True, slots=True)
class Comparator:
    """The rules of A = A′ and A ≈ A′. Not in charge of texts that are no calls: see `selection.judge`."""

    schema_defaults: bool = True  # Deviation: an omitted optional parameter equals its schema default
    tolerance: int = 1  # parameters that may differ in a pair of an approximate answer; §3.2: 1
    string_folding: Folding = "none"  # what of strings makes no difference; see `Equality`
    numeric_tolerance: float = 0.0  # numbers apart by no more than this fraction of the larger are the same
    nested: bool = False  # every place inside a parameter's value that differs counts, and not the parameter once
    reading: Literal["tolerant", "strict"] = "tolerant"  # how answers are read before they are compared; see `parse`

    @property
    def version(self) -> str:
        """What makes two comparators judge alike, stored beside every judgement, e.g. "2:schema_defaults,tolerance=1"."""
        options = [
            "schema_defaults" if self.schema_defaults else "",
            f"tolerance={self.tolerance}",
            f"fold={self.string_folding}" if self.string_folding != "none" else "",
            f"numbers={self.numeric_tolerance!r}" if self.numeric_tolerance else "",
            "nested" if self.nested else "",
            "strict" if self.reading == "strict" else "",
        ]
        return f"{RULES}:{','.join(filter(None, options))}"

    @property
    def equality(self) -> Equality:
        """When two values are the same."""
        return self.measure.equality

    @property
    def measure(self) -> Measure:
        """How many differences two calls have."""
        return _measure(self.string_folding, self.numeric_tolerance, self.nested)

    def compare(
        self, truth: Sequence[Call], output: Sequence[Call], tools: Sequence[Tool] = (), *, told: bool = True
    ) -> Comparison:
        """Compare two lists of calls, order free; `tools` supply the schema defaults. Without `told` no differences are listed.

        The number is the least of all pairings for up to 128 calls of a tool; see `partners` for more.
        """
        return self.against(truth, tools).compare(output, told=told)

    def against(self, truth: Sequence[Call], tools: Sequence[Tool] = ()) -> PreparedTruth:
        """The truth made ready for several answers, each of which it compares as `compare` does."""
        return PreparedTruth(self, truth, tools)

    def sides(self, truth: Sequence[Call], output: Sequence[Call], tools: Sequence[Tool]) -> tuple[Side, Side]:
        """Both lists made ready."""
        filled, equality = self.defaults_of(tools, _unevenly_called((*truth, *output))), self.equality
        return Side(truth, filled, equality), Side(output, filled, equality)

    def defaults_of(self, tools: Sequence[Tool], names: Collection[str]) -> dict[str, dict[str, Json]]:
        """Tool name → the values that a call of it may omit; empty where omitting counts as a difference."""
        if not self.schema_defaults or not names:
            return {}
        found: dict[str, Tool] = {}
        for tool in tools:
            if (name := normal_text(tool_name(tool))) in names:
                found.setdefault(name, tool)
        return {name: by_name(stated) for name, tool in found.items() if (stated := defaults(tool))}


class PreparedTruth:
    """A truth that answers are compared with, made ready once for all of them."""

    __slots__ = ("_comparator", "_expected", "_tools", "_truth")

    def __init__(self, comparator: Comparator, truth: Sequence[Call], tools: Sequence[Tool]) -> None:
        self._comparator = comparator
        self._truth = truth
        self._tools = tools
        self._expected = Expected(truth, comparator.measure, Omitted(tools if comparator.schema_defaults else ()))

    def compare(self, output: Sequence[Call], *, told: bool = True) -> Comparison:
        """How far an answer is from the truth. Without `told` no differences are listed.

        The quick road tells the number of most answers; the thorough one of the rest, and what differs.
        """
        largest = self._expected.least(output)
        if largest == 0:
            return _NO_DIFFERENCE
        if largest is not None and not told:
            return _judged(largest, self._comparator.tolerance)
        if problem := unpaired(self._truth, output):
            return Comparison(None, problem)
        return self._compare_closely(output, told=told)

    def _compare_closely(self, output: Sequence[Call], *, told: bool) -> Comparison:
        """The thorough road: calls are paired, and values compared, by canonical texts."""
        measure = self._comparator.measure
        one, other = self._comparator.sides(self._truth, output, self._tools)
        pairs = _pairs(one, other, measure)
        if pairs is None:
            return Comparison(None, "too_many_calls")
        largest = max((measure(one.calls[row], other.calls[column]) for row, column in pairs), default=0)
        judged = _judged(largest, self._comparator.tolerance)
        return replace(judged, differences=tuple(_differences(one, other, pairs, measure))) if told and largest else judged


_NO_DIFFERENCE: Final = Comparison(0, "")


@lru_cache(maxsize=64)
def _measure(folding: Folding, numeric_tolerance: float, nested: bool) -> Measure:
    return Measure(Equality(folding, numeric_tolerance), nested=nested)


@lru_cache(maxsize=256)
def _judged(largest: int, tolerance: int) -> Comparison:
    """A = A′ where nothing differs, A ≈ A′ where no pair differs in more parameters than are tolerated."""
    return Comparison(largest, "" if largest <= tolerance else "param_mismatch")


def comparator_of(settings: Settings) -> Comparator:
    """The rules by which a run with these settings compares."""
    return Comparator(
        schema_defaults=settings.schema_defaults,
        tolerance=settings.tolerance,
        string_folding=settings.string_folding,
        numeric_tolerance=settings.numeric_tolerance,
        nested=settings.nested,
        reading=settings.reading,
    )


def _unevenly_called(calls: Iterable[Call]) -> set[str]:
    """Tools of which one call gives a parameter that another omits. Of the rest, defaults could make no difference."""
    given: dict[str, Collection[str]] = {}
    return {
        name
        for name, call in ((normal_text(call.name), call) for call in calls)
        if given.setdefault(name, call.arguments.keys()) != call.arguments.keys()
    }


def unpaired(truth: Sequence[Call], output: Sequence[Call]) -> str:
    """Why calls cannot be paired by their tools, "" where they can."""
    if len(truth) != len(output):
        return "wrong_count"
    return "" if _names(truth) == _names(output) else "wrong_tool"


def _names(calls: Iterable[Call]) -> list[str]:
    return sorted([normal_text(call.name) for call in calls])


def _pairs(one: Side, other: Side, measure: Measure) -> list[tuple[int, int]] | None:
    """The optimal pairing, in the truth's order of tools; None: too many calls to pair."""
    pairs: list[tuple[int, int]] = []
    for name, rows in one.positions.items():
        columns = other.positions[name]
        chosen = partners([one.calls[row] for row in rows], [other.calls[column] for column in columns], measure)
        if chosen is None:
            return None
        pairs += [(row, columns[at]) for row, at in zip(rows, chosen, strict=True)]
    return pairs


def _differences(one: Side, other: Side, pairs: Iterable[tuple[int, int]], measure: Measure) -> Iterator[Difference]:
    for row, column in pairs:
        call, against = one.calls[row], other.calls[column]
        for name in sorted(call.values.keys() | against.values.keys()):
            for place in parameter_places(call, against, name, measure):
                path = path_text(call.name, (name, *place.steps))
                yield Difference(row, column, name, path, place.expected, place.given, place.kind)


def parameter_places(one: PreparedCall, other: PreparedCall, name: str, measure: Measure) -> tuple[Place, ...]:
    """Where a parameter differs between two calls; () where it does not. A side that lacks it is the one place."""
    if name not in other.values:
        return (Place((), one.values[name], None, "missing"),)
    if name not in one.values:
        return (Place((), None, other.values[name], "extra"),)
    if not measure.parameter(one, other, name):
        return ()
    return told_places(one.values[name], other.values[name], measure.equality)
