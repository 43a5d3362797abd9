"""Hostile rows of every format that is imported: something in them mutated, lost or of another type."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from tests.toolcalls.format_rows import ROWS
from tests.toolcalls.fuzzing.mutating import PIECES, answers, mutated

_ODD = (None, True, 0, -1.5, 10**80, "", "x", "[f(", [], {}, [[]], {"": None}, {"name": "f"}, "\ud800", "\0")
_MOST = 8_000  # characters of a row


def hostile_rows(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """`count` rows, each with a format to read it as; one seed gives one sequence."""
    dice = random.Random(seed)
    formats = list(ROWS)
    for _ in range(count):
        name = dice.choice(formats)
        row = ROWS[name]
        for _ in range(dice.choice((1, 1, 2, 3))):
            row = _spoilt(row, dice)
        line = json.dumps(row, ensure_ascii=dice.random() < 0.5)[:_MOST]
        if dice.random() < 0.1:
            line = mutated(line, dice, answers())
        yield dice.choice((name, name, "auto", dice.choice(formats))), line


def _spoilt(value: Any, dice: random.Random) -> Any:
    """The value with one thing in it changed, at most as deep as it is nested."""
    if isinstance(value, dict | list) and value and dice.random() < 0.9:
        key = dice.choice(list(value) if isinstance(value, dict) else range(len(value)))
        changed = dict(value) if isinstance(value, dict) else list(value)
        if dice.random() < 0.1:
            del changed[key]
        else:
            changed[key] = _spoilt(value[key], dice)
        return changed
    if isinstance(value, str) and dice.random() < 0.8:
        return mutated(value, dice, (*answers(), *PIECES))
    return dice.choice(_ODD)
