"""Invented samples of about 2 KB and what a model is said to have answered: the same for the same seed, no engine asked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolcalls.answers import Call
from toolcalls.records import Message, Sample
from toolcalls.rendering import render
from toolcalls.selection import REASONS

VERBS = ("get", "find", "book", "list", "create", "update", "cancel", "search", "convert", "track", "send", "plan")
NOUNS = (
    "weather", "flight", "hotel", "invoice", "parcel", "recipe", "route", "ticket", "rate", "meeting", "playlist", "loan",
    "stock", "visa", "prescription", "court", "museum", "ferry", "tax", "satellite", "forecast", "calendar", "lamp", "tide",
    "quote",
)  # fmt: skip
CITIES = (
    "Rome",
    "Oslo",
    "Lima",
    "Cairo",
    "Quito",
    "Delhi",
    "Paris",
    "Seoul",
    "Tunis",
    "Sofia",
    "Accra",
    "Hanoi",
    "Zürich",
    "東京",
)
PARAMETERS = (
    ("city", {"type": "string", "description": "Name of the city, in English."}),
    ("days", {"type": "integer", "description": "How many days, from today on.", "minimum": 1}),
    ("unit", {"type": "string", "description": "Unit of the result.", "enum": ["metric", "imperial"], "default": "metric"}),
    ("max_price", {"type": "number", "description": "Highest price in euro that is of interest."}),
    ("include_tax", {"type": "boolean", "description": "Whether prices include tax.", "default": False}),
    ("tags", {"type": "array", "items": {"type": "string"}, "description": "Words that describe what is wanted."}),
)
SYLLABLES = ("ba", "ko", "ri", "ten", "mu", "sal", "ve", "dor", "ni", "pha", "lu", "gor", "ti", "mar", "zen", "qui")
WORDS = tuple(one + two + three for one in SYLLABLES for two in SYLLABLES for three in ("", "n", "sta", "lim"))
CHINESE = ("请问", "天气", "明天", "预订", "酒店", "航班", "价格", "北京", "上海", "会议", "查询", "取消", "帮我", "路线")
LANGUAGES = ("en", "en", "en", "zh", "de", "fr", "")
FILLER = 90  # words of a question: with three tools about 2 KB


def tools(chance: random.Random) -> list[dict[str, Any]]:
    """One tool per verb and noun."""
    return [_tool(f"{verb}_{noun}", chance) for verb in VERBS for noun in NOUNS]


def _tool(name: str, chance: random.Random) -> dict[str, Any]:
    chosen = [PARAMETERS[0], *chance.sample(PARAMETERS[1:], chance.randint(1, 4))]
    required = [parameter for parameter, schema in chosen if "default" not in schema]
    described = {"type": "object", "properties": dict(chosen), "required": required}
    return {"name": name, "description": f"{name.replace('_', ' ').capitalize()} for a city.", "parameters": described}


def sample(number: int, known: Sequence[dict[str, Any]], chance: random.Random, split: Any = "train") -> Sample:
    offered = chance.sample(known, 3)
    language = chance.choice(LANGUAGES)
    calls = 0 if chance.random() < 0.04 else chance.choice((1, 1, 1, 2, 2, 3))
    truth = tuple(call(chance.choice(offered), chance) for _ in range(calls)) if calls else None
    city = truth[0].arguments["city"] if truth else chance.choice(CITIES)
    return Sample(
        id=f"seed-{number:06d}",
        tools=tuple(offered),
        messages=(Message("user", _question(city, language, chance)),),
        truth=truth,
        truth_text=None if truth else f"None of the functions can tell that about {city}.",
        split=split,
        category="irrelevance" if truth is None else ("simple", "parallel", "parallel_multiple")[calls - 1],
        language=language,
    )


def call(tool: dict[str, Any], chance: random.Random) -> Call:
    wanted = tool["parameters"]
    arguments = {
        name: _value(name, chance) for name in wanted["properties"] if name in wanted["required"] or chance.random() < 0.5
    }
    return Call(tool["name"], arguments)


def _value(name: str, chance: random.Random) -> Any:
    match name:
        case "city":
            return chance.choice(CITIES)
        case "days":
            return chance.randint(1, 14)
        case "unit":
            return chance.choice(("metric", "imperial"))
        case "max_price":
            return chance.randint(10, 4000) / 2
        case "include_tax":
            return chance.random() < 0.5
    return [chance.choice(WORDS) for _ in range(chance.randint(1, 3))]


def _question(city: str, language: str, chance: random.Random) -> str:
    """Words by a steep distribution, so that searches for common and for rare ones can both be tried."""
    common = (WORDS[min(int(chance.paretovariate(0.6)), len(WORDS) - 1)] for _ in range(FILLER))
    if language == "zh":
        return "".join(chance.choice(CHINESE) for _ in range(FILLER)) + f" {city} number {chance.randint(0, 99999)}?"
    return f"Please help me with {city}, number {chance.randint(0, 99999)}: {' '.join(common)}?"


@dataclass(frozen=True, slots=True)
class Attempt:
    text: str
    calls: tuple[Call, ...] | None
    max_param_diff: int | None
    reason: str
    finish_reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Turn:
    """k attempts at a sample, and what they come to."""

    attempts: tuple[Attempt, ...]

    @property
    def exact(self) -> int:
        return sum(attempt.max_param_diff == 0 for attempt in self.attempts)

    @property
    def hits(self) -> int:
        return sum(not attempt.reason for attempt in self.attempts)

    @property
    def first_hit(self) -> int | None:
        return next((place for place, attempt in enumerate(self.attempts) if not attempt.reason), None)

    @property
    def reasons(self) -> dict[str, int]:
        return dict(Counter(attempt.reason for attempt in self.attempts if attempt.reason))

    @property
    def reason(self) -> str:
        return "" if self.hits else min(self.reasons, key=REASONS.index)

    @property
    def other(self) -> tuple[str | None, int]:
        """The most frequent answer that is no hit, and how often it was given."""
        misses = Counter(attempt.text for attempt in self.attempts if attempt.reason and attempt.finish_reason == "stop")
        return misses.most_common(1)[0] if misses else (None, 0)


class Model:
    """Answers a sample the better, the higher `skill` (0 to 1); half of its mistakes at a sample are the same one."""

    def __init__(self, chance: random.Random, skill: float) -> None:
        self._chance, self._skill = chance, skill

    def answer(self, asked: Sample, k: int) -> Turn:
        chance = self._chance
        if asked.truth is None:
            said = Attempt(asked.truth_text or "", None, 0, "")
            return Turn(tuple(said if chance.random() < self._skill else _words() for _ in range(k)))
        right = Attempt(render(asked.truth), asked.truth, 0, "")
        near, usual = self._near(asked), self._miss(asked)
        ease = min(1.0, max(0.0, chance.gauss(self._skill, 0.4)))
        return Turn(tuple(self._attempt(right, near, usual, ease, asked) for _ in range(k)))

    def _attempt(self, right: Attempt, near: Attempt, usual: Attempt, ease: float, asked: Sample) -> Attempt:
        drawn = self._chance.random()
        if drawn < ease:
            return right if drawn < 0.85 * ease else near
        return usual if self._chance.random() < 0.5 else self._miss(asked)

    def _near(self, asked: Sample) -> Attempt:
        calls = (self._changed(asked, 1), *(asked.truth or ())[1:])
        return Attempt(render(calls), calls, 1, "")

    def _miss(self, asked: Sample) -> Attempt:
        truth = asked.truth or ()
        match self._chance.randrange(8):
            case 0 | 1 | 2:
                calls: tuple[Call, ...] = (self._changed(asked, 2), *truth[1:])
                return Attempt(render(calls), calls, 2, "param_mismatch")
            case 3:
                calls = (replace(truth[0], name="other_tool"), *truth[1:])
                return Attempt(render(calls), calls, None, "wrong_tool")
            case 4:
                calls = (*truth, truth[0])
                return Attempt(render(calls), calls, None, "wrong_count")
            case 5:
                return _words()
            case 6:
                return Attempt(render(truth)[:-2], None, None, "unparsable")
        return Attempt(render(truth)[:20], None, None, "truncated", "length")

    def _changed(self, asked: Sample, parameters: int) -> Call:
        call = (asked.truth or ())[0]
        extra = {"note": "soon"} if parameters == 2 else {}
        return replace(call, arguments={**call.arguments, "city": self._chance.choice(CITIES) + " City", **extra})


def _words() -> Attempt:
    return Attempt("I am sorry, I cannot help with that.", None, None, "not_a_call")
