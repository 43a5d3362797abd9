"""Calls of which each has one possible partner, compared as they stand: most answers are such."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from toolcalls.answers import Call, Json
from toolcalls.identity import identical
from toolcalls.sides import Defaults, Measure


def lone_difference(
    truth: Sequence[Call], output: Sequence[Call], measure: Measure, defaults_of: Callable[[Collection[str]], Defaults]
) -> int | None:
    """The largest number of differences in a pair. None leaves it to a closer look: a tool is called twice or by one side
    alone, or a name is not ASCII.
    """
    partners = {call.name: call for call in output}
    if not len(partners) == len(output) == len(truth):
        return None
    largest = 0
    for call in truth:
        partner = partners.pop(call.name, None)
        if partner is None or not "".join([call.name, *call.arguments, *partner.arguments]).isascii():
            return None
        one, other = call.arguments, partner.arguments
        if one.keys() != other.keys() and (omitted := defaults_of((call.name,)).get(call.name)):
            one, other = {**omitted, **one}, {**omitted, **other}
        largest = max(largest, _differences(one, other, measure))
    return largest


def _differences(one: Mapping[str, Json], other: Mapping[str, Json], measure: Measure) -> int:
    count = shared = 0
    for name, value in one.items():
        if name in other:
            shared += 1
            if not identical(value, other[name]):
                count += measure.values(value, other[name])
    return count + len(one) + len(other) - 2 * shared
