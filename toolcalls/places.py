"""Where two values differ: the deepest places, named as people read them (`hotel.rooms[1].beds`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from toolcalls.answers import Json
from toolcalls.canonical import canonical_value
from toolcalls.equality import Equality, by_name

Kind = Literal["value", "missing", "extra"]
MOST_PLACES: Final = 32  # in a parameter that differs in more, the parameter as a whole is the place
_PLAIN: Final = re.compile(r'[^\s.\[\]"]+\Z')
_LONGEST: Final = 60  # characters of a name in a path, and of a value in a line


@dataclass(frozen=True, slots=True)
class Place:
    """One place that differs; `steps` lead to it: names of keys and positions in lists.

    kind: "value" (both sides have one), "missing" (the second has none), "extra" (the first has none). A side that has none
    has None there. A position counts in the list that has the value, in the first where both have it.
    """

    steps: tuple[str | int, ...]
    expected: Json
    given: Json
    kind: Kind


def places(expected: Json, given: Json, equality: Equality) -> Iterator[Place]:
    """Every deepest place that differs, in the order of the expected value, from objects and lists down to single values.

    Lists of one length are compared place by place; of lists of two lengths, what they begin and end with alike is left out.
    """
    waiting = [Place((), expected, given, "value")]
    while waiting:
        place = waiting.pop()
        one, other = place.expected, place.given
        if place.kind != "value":
            yield place
        elif isinstance(one, dict) and isinstance(other, dict):
            waiting += reversed(list(_in_objects(place.steps, by_name(one), by_name(other))))
        elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
            waiting += reversed(list(_in_lists(place.steps, one, other, equality.same)))
        elif not equality.scalars(one, other):
            yield place


def told_places(expected: Json, given: Json, equality: Equality) -> tuple[Place, ...]:
    """The places to tell people about: at most MOST_PLACES, else the whole value as one place."""
    found = tuple(islice(places(expected, given, equality), MOST_PLACES + 1))
    return found if len(found) <= MOST_PLACES else (Place((), expected, given, "value"),)


def _in_objects(steps: tuple[str | int, ...], one: dict[str, Json], other: dict[str, Json]) -> Iterator[Place]:
    for name, value in one.items():
        if name in other:
            yield Place((*steps, name), value, other[name], "value")
        else:
            yield Place((*steps, name), value, None, "missing")
    for name, value in other.items():
        if name not in one:
            yield Place((*steps, name), None, value, "extra")


def _in_lists(
    steps: tuple[str | int, ...], one: Sequence[Json], other: Sequence[Json], same: Callable[[Json, Json], bool]
) -> Iterator[Place]:
    before, after = (0, 0) if len(one) == len(other) else _alike(one, other, same)
    ours, theirs = len(one) - after, len(other) - after
    for at in range(before, min(ours, theirs)):
        yield Place((*steps, at), one[at], other[at], "value")
    for at in range(theirs, ours):
        yield Place((*steps, at), one[at], None, "missing")
    for at in range(ours, theirs):
        yield Place((*steps, at), None, other[at], "extra")


def _alike(one: Sequence[Json], other: Sequence[Json], same: Callable[[Json, Json], bool]) -> tuple[int, int]:
    """How many values two lists begin with alike, and how many of the rest they end with alike."""
    shorter = min(len(one), len(other))
    before = 0
    while before < shorter and same(one[before], other[before]):
        before += 1
    after = 0
    while after < shorter - before and same(one[-1 - after], other[-1 - after]):
        after += 1
    return before, after


def path_text(first: str, steps: Sequence[str | int]) -> str:
    """A path: `first`, then `.name` or `["odd name"]` for keys and `[2]` for positions; long names are shown by their start."""
    parts = [f"[{step}]" if isinstance(step, int) else _named(step) for step in steps]
    return "".join([first, *parts]) if first else "".join(parts).removeprefix(".")


def _named(name: str) -> str:
    shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    return f".{shown}" if _PLAIN.match(shown) else f"[{json.dumps(shown, ensure_ascii=False)}]"


def change_text(expected: Json, given: Json, kind: Kind, most: int = _LONGEST) -> str:
    """What stands at a place on the two sides, e.g. `"Rome" → "Roma"`, `5 → nothing`; long values from where they differ."""
    sides = ["nothing" if kind == "extra" else short(expected, most), "nothing" if kind == "missing" else short(given, most)]
    if sides[0] == sides[1] and sides[0].endswith("…"):
        sides = _from_difference(_written(expected), _written(given), most)
    return " → ".join(sides)


def _from_difference(one: str, other: str, most: int) -> list[str]:
    """Two long texts from a little before where they differ."""
    differ = next((place for place, marks in enumerate(zip(one, other, strict=False)) if marks[0] != marks[1]), most)
    start = max(0, differ - most // 2)
    return [f"…{text[start : start + most]}{'…' if len(text) > start + most else ''}" for text in (one, other)]


def short(value: Json, most: int) -> str:
    """A value as JSON, at most `most` characters of it."""
    text = _written(value)
    return text if len(text) <= most else f"{text[:most]}…"


def _written(value: Json) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        return canonical_value(value)
