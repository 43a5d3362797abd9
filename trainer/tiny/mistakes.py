"""Plausible wrong answers: what a refine turn of pre-training starts from when it does not start from the truth."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Sequence

from toolcalls.answers import Call, Json
from toolcalls.records import Sample
from trainer.tiny.vocabulary import CITIES, PEOPLE

_ISO_DATE = re.compile(r"20\d\d-\d\d-\d\d")


def mistaken(dice: random.Random, sample: Sample) -> tuple[Call, ...]:
    """The sample's true calls with one mistake, or now and then two."""
    calls = [Call(call.name, dict(call.arguments)) for call in sample.truth or ()]
    names = [tool["name"] for tool in sample.tools]
    for _ in range(dice.choice((1, 1, 2))):
        _spoil(dice, calls, names)
    return tuple(calls)


def _spoil(dice: random.Random, calls: list[Call], names: Sequence[str]) -> None:
    index, kind = dice.randrange(len(calls)), dice.random()
    name, arguments = calls[index].name, calls[index].arguments
    others = [other for other in names if other != name]
    if kind < 0.45 and arguments:
        parameter = dice.choice(list(arguments))
        arguments[parameter] = _wrong_value(dice, arguments[parameter], calls)
    elif kind < 0.60 and len(arguments) > 1:
        del arguments[dice.choice(list(arguments))]
    elif kind < 0.75 and others:
        calls[index] = Call(dice.choice(others), arguments)
    elif kind < 0.90 and len(calls) > 1:
        del calls[index]
    else:
        calls.insert(index, Call(name, dict(arguments)))


def _wrong_value(dice: random.Random, value: Json, calls: Sequence[Call]) -> Json:
    if isinstance(value, bool):
        return not value
    elsewhere = [other for call in calls for other in call.arguments.values() if type(other) is type(value) and other != value]
    if elsewhere and dice.random() < 0.5:
        return dice.choice(elsewhere)
    if isinstance(value, int):
        return max(0, value + dice.choice((-2, -1, 1, 2, 10)))
    if isinstance(value, float):
        return float(int(value * dice.choice((0.1, 10, 1.1))))
    if isinstance(value, list):
        return value[:-1] or [*value, "cheese"]
    if _ISO_DATE.fullmatch(value):
        return (dt.date.fromisoformat(value) + dt.timedelta(dice.choice((-2, -1, 1, 2, 30)))).isoformat()
    return dice.choice(dice.choice((CITIES.seen, PEOPLE.seen, (value.split()[0],), (value[:-1],))))
