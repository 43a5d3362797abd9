"""The quick road of comparing: a truth's calls made ready for its answers, whose values are compared as they stand.

Its number is the one that the thorough road of `comparing` finds by canonical texts; `tests/toolcalls/test_expected.py` holds the
two together. What it cannot tell so, it leaves to that road.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from toolcalls.answers import Call, Json
from toolcalls.canonical import normal_text
from toolcalls.equality import by_name
from toolcalls.identity import deceptive, identical
from toolcalls.pairing import least_largest
from toolcalls.schema import NO_DEFAULT, Defaults, Tool, defaults, tool_name
from toolcalls.sides import Measure

_SIMPLE: Final = frozenset((int, float, bool))
FEW: Final = 8  # calls of one tool that are compared each with each


class ExpectedCall:
    """One call of the truth. `deceptive` are the parameters whose values Python's `==` says too much of."""

    __slots__ = ("_by_kind", "arguments", "deceptive", "name")

    def __init__(self, call: Call) -> None:
        self.name = call.name
        self.arguments = call.arguments
        self.deceptive: dict[str, type] = {
            name: type(value) for name, value in call.arguments.items() if type(value) is not str and deceptive(value)
        }
        self._by_kind = not self.deceptive or _SIMPLE.issuperset(self.deceptive.values())  # what `==` does not say, types do

    def is_given(self, given: Mapping[str, Json]) -> bool:
        """Whether these are the same arguments; False says nothing."""
        if not self._by_kind or self.arguments != given:
            return False
        for name, kind in self.deceptive.items():  # noqa: SIM110  # a generator takes twice as long
            if type(given[name]) is not kind:
                return False
        return True

    def differences(self, given: Mapping[str, Json], measure: Measure) -> int:
        """How many differences the values of those parameters have that both calls give."""
        count = 0
        for name, value in self.arguments.items():
            if name in given:
                other = given[name]
                if not identical(value, other) if name in self.deceptive else value != other:
                    count += measure.values(value, other)
        return count


class Omitted:
    """What a call has of the parameters that it omits, by the tools' descriptions, each looked at when it is first needed."""

    __slots__ = ("_found", "_in_nfc", "_tools")

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = tools
        self._found: dict[str, Defaults] = {}
        self._in_nfc: dict[str, dict[str, Json]] = {}  # of tools with a parameter whose name can be written in two ways

    def value(self, name: str, parameter: str) -> Json:
        """The default of a tool's parameter; NO_DEFAULT where it has none. Both names are ASCII."""
        if (found := self._found.get(name)) is None:
            self._found[name] = found = Defaults(self._described(name))
            if not found.is_ascii():
                self._in_nfc[name] = by_name(defaults(self._described(name)))
        return self._in_nfc[name].get(parameter, NO_DEFAULT) if name in self._in_nfc else found.of(parameter)

    def _described(self, name: str) -> Tool:
        for tool in self._tools:
            if normal_text(tool_name(tool)) == name:
                return tool
        return {}


class Expected:
    """The calls of a truth."""

    __slots__ = ("_calls", "_measure", "_omitted")

    def __init__(self, truth: Sequence[Call], measure: Measure, omitted: Omitted) -> None:
        self._calls = [ExpectedCall(call) for call in truth]
        self._measure = measure
        self._omitted = omitted

    def least(self, output: Sequence[Call]) -> int | None:
        """max_param_diff; None leaves it to a closer look: odd names, many calls in disorder, no pairing.

        Most answers give the truth's calls in its order. Then it is enough that each tool is called once, or that one call
        alone differs, in one parameter: what is left when equal calls are cancelled is that pair.
        """
        if len(output) != len(self._calls):
            return None
        largest = total = 0
        for at, expected in enumerate(self._calls):
            call = output[at]
            if expected.name != call.name:
                return self._least_in_any_order(output)
            if not expected.is_given(call.arguments):
                if (count := self._differences(expected, call)) is None:
                    return None
                total += count
                largest = max(largest, count)
        if not total or len(output) == 1 or (total == 1 and self._measure.plain):
            return largest
        return self._least_in_any_order(output)

    def _least_in_any_order(self, output: Sequence[Call]) -> int | None:
        """The same for calls of which those of one tool may be paired otherwise than in order; their names must be ASCII."""
        rows, columns = defaultdict(list), defaultdict(list)
        for expected, call in zip(self._calls, output, strict=True):
            rows[expected.name].append(expected)
            columns[call.name].append(call)
        if rows.keys() != columns.keys() or not "".join(rows).isascii():
            return None
        largest = 0
        for name, calls in rows.items():
            if (least := self._least_of_tool(calls, columns[name])) is None:
                return None
            largest = max(largest, least)
        return largest

    def _least_of_tool(self, expected: Sequence[ExpectedCall], calls: Sequence[Call]) -> int | None:
        if len(expected) != len(calls) or len(calls) > FEW:
            return None
        costs = []
        for one in expected:
            costs.append([cost for call in calls if (cost := self._differences(one, call)) is not None])
            if len(costs[-1]) < len(calls):
                return None
        return least_largest(costs)

    def _differences(self, expected: ExpectedCall, call: Call) -> int | None:
        """How many differences a call of the same tool has; None where it has other parameters, and not all are ASCII."""
        ours, given = expected.arguments, call.arguments
        count = expected.differences(given, self._measure)
        if ours.keys() == given.keys():
            return count
        if not "".join([expected.name, *ours, *given]).isascii():
            return None
        for name, value in ours.items():
            if name not in given:
                count += self._alone(expected.name, name, value)
        for name, value in given.items():
            if name not in ours:
                count += self._alone(expected.name, name, value)
        return count

    def _alone(self, tool: str, name: str, value: Json) -> int:
        """How many differences a value has from what a call has that omits it."""
        default = self._omitted.value(tool, name)
        if default is NO_DEFAULT:
            return 1
        return 0 if identical(default, value) else self._measure.values(default, value)
