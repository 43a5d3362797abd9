"""Calls whose partners need no search, compared as they stand: most answers are such."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from toolcalls.answers import Call, Json
from toolcalls.identity import identical
from toolcalls.sides import Defaults, Measure

DefaultsOf = Callable[[Collection[str]], Defaults]


def obvious_difference(truth: Sequence[Call], output: Sequence[Call], measure: Measure, defaults_of: DefaultsOf) -> int | None:
    """The largest number of differences in a pair, the least that a pairing has. None leaves it to a closer look.

    It is obvious where each call has one possible partner, or where at most one call in the order of the truth differs, in one
    parameter: what is left when equal calls are cancelled is that pair. Names must be ASCII.
    """
    pairs = _pairs(truth, output)
    if pairs is None:
        return None
    counts = []
    for call, partner in pairs:
        if not "".join([call.name, *call.arguments, *partner.arguments]).isascii():
            return None
        one, other = call.arguments, partner.arguments
        if one.keys() != other.keys() and (omitted := defaults_of((call.name,)).get(call.name)):
            one, other = {**omitted, **one}, {**omitted, **other}
        counts.append(_differences(one, other, measure))
    largest = max(counts, default=0)
    if largest == 0 or len(pairs) == 1 or len({call.name for call in truth}) == len(pairs):
        return largest
    return largest if measure.plain and sum(counts) == 1 else None


def _pairs(truth: Sequence[Call], output: Sequence[Call]) -> list[tuple[Call, Call]] | None:
    """Each call with the one beside it, or with the only one of its tool."""
    if len(truth) != len(output):
        return None
    pairs = list(zip(truth, output, strict=True))
    if all(call.name == beside.name for call, beside in pairs):
        return pairs
    ours, theirs = ({call.name: call for call in calls} for calls in (truth, output))
    if len(ours) < len(truth) or ours.keys() != theirs.keys():
        return None
    return [(call, theirs[call.name]) for call in truth]


def _differences(one: Mapping[str, Json], other: Mapping[str, Json], measure: Measure) -> int:
    count = shared = 0
    for name, value in one.items():
        if name in other:
            shared += 1
            if not identical(value, other[name]):
                count += measure.values(value, other[name])
    return count + len(one) + len(other) - 2 * shared
