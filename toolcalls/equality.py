"""When two values of a parameter are the same: DESIGN's rules, and the options that loosen them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from toolcalls.answers import Json
from toolcalls.canonical import canonical_value, normal_text

Folding = Literal["none", "case", "case_space"]


def _caseless(text: str) -> str:
    return unicodedata.normalize("NFC", normal_text(text).casefold())


def _caseless_spaceless(text: str) -> str:
    return " ".join(_caseless(text).split())


FOLDS: Final[Mapping[str, Callable[[str], str]]] = {"none": normal_text, "case": _caseless, "case_space": _caseless_spaceless}


@dataclass(frozen=True, slots=True)
class Equality:
    """The rules for two values. Names, of parameters and of keys, are never folded.

    folding: "none", "case" (letters, big or small), "case_space" (also how much space, and outer space).
    numeric_tolerance: how far two numbers may be apart, as a fraction of the larger of them. With one, being equal is no
    longer transitive, and canonical texts no longer tell what differs; equal texts still are equal values.
    """

    folding: Folding = "none"
    numeric_tolerance: float = 0.0

    def canonical(self, value: Json) -> str:
        """The value's text: where there is no numeric tolerance, equal exactly when the values are."""
        return canonical_value(value, FOLDS[self.folding])

    def scalars(self, one: Json, other: Json) -> bool:
        """Whether two values are the same, of which at least one is neither a list nor an object."""
        if self.numeric_tolerance and _is_number(one) and _is_number(other):
            return _near(one, other, self.numeric_tolerance)
        if isinstance(one, dict | list | tuple) or isinstance(other, dict | list | tuple):
            return False
        return self.canonical(one) == self.canonical(other)

    def same(self, one: Json, other: Json) -> bool:
        """Whether two values are the same, lists and objects all the way down."""
        waiting = [(one, other)]
        while waiting:
            one, other = waiting.pop()
            if isinstance(one, dict) and isinstance(other, dict):
                ours, theirs = by_name(one), by_name(other)
                if ours.keys() != theirs.keys():
                    return False
                waiting += [(value, theirs[name]) for name, value in ours.items()]
            elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
                if len(one) != len(other):
                    return False
                waiting += zip(one, other, strict=True)
            elif not self.scalars(one, other):
                return False
        return True


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _near(one: Json, other: Json, fraction: float) -> bool:
    try:
        return math.isclose(one, other, rel_tol=fraction) or (math.isnan(one) and math.isnan(other))
    except OverflowError:  # an integer beyond all floats
        of, parts = fraction.as_integer_ratio()
        whole = isinstance(one, int) and isinstance(other, int)
        return whole and abs(one - other) * parts <= of * max(abs(one), abs(other))


def by_name(values: Mapping[str, Json]) -> dict[str, Json]:
    """The values under their names in NFC; a second name that is the same in NFC is kept apart, marked by a prime."""
    named = {normal_text(name): value for name, value in values.items()}
    if len(named) == len(values):
        return named
    named = {}
    for name in sorted(values):
        normal = normal_text(name)
        while normal in named:
            normal += "′"
        named[normal] = values[name]
    return named
