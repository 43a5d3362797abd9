"""Endless hostile texts: answers of every dialect, cut, doubled, spliced, nested and peppered, the same for the same seed."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from toolcalls.answers import Call
from toolcalls.dialects import DIALECTS

LONGEST = 70_000  # characters of a text, some more than an answer may have
ROOM = 2_000  # characters that most texts stay below, so that many are tried
CALLS = (
    Call("book flight (return) V2", {"from": "Zürich", "bags": 2, "cabin": {"class": "business", "meals": ["veg", None, True]}}),
    Call("天气.查询", {"城市": "北京", "days": -3.5e4}),
    Call("f", {}),
)
PIECES = (
    "[", "]", "(", ")", "{", "}", '"', "'", "\\", "=", ",", ":", ";", "\n", "\t", " ", "\0", "\ufeff", "\u2028", "\ud800",
    "，", "“", "```", "```json\n", "<think>", "</think>", "<tool_call>", "</tool_call>", "<|python_tag|>", "<|eot_id|>",
    "[TOOL_CALLS]", "<functioncall> ", "<TOOLCALL>", "</TOOLCALL>", "<function=f>", "<parameter=a>", "</function>",
    "✿FUNCTION✿: ", "✿ARGS✿: ", "[f(", "f(a=", "f(", "a=1, ", '{"name": "', '"arguments": {', "'arguments': '", "None", "true",
    "NaN", "-Infinity", "1e999", "0x1F", "9" * 70, "lambda: 0", "__import__('os')", "**{}", "*[]", "'a' * 10", "9**9**9", "# ",
    "\\u", "\\ud83d", "&quot;", "...", "if", "→",
)  # fmt: skip


@cache
def answers() -> tuple[str, ...]:
    """What is mutated: every dialect's writing of some calls, and the public data sets' texts where they lie."""
    return (*_written(), *_public())


def _written() -> Iterator[str]:
    for dialect in DIALECTS:
        for calls in (CALLS, CALLS[1:], CALLS[2:], (CALLS[2], Call("g", {"a": [[1, 2], {"b": 'it\'s "so"'}]}))):
            try:
                yield dialect.render(calls)
            except ValueError:
                continue  # a name that this dialect cannot carry
    yield "I cannot do that (see f(x) = 3), sorry."


def _public() -> Iterator[str]:
    folder = os.environ.get("WHETSTONE_DATA", "")
    if not folder:
        return
    for path in sorted(Path(folder, "golden").glob("*.jsonl")):
        rows = path.read_text(encoding="utf-8").splitlines()
        yield from (json.loads(row)["output_text"] for row in rows[:: max(1, len(rows) // 400)])


def hostile_texts(seed: int, count: int) -> Iterator[str]:
    """`count` texts; one seed gives one sequence."""
    dice = random.Random(seed)
    known = answers()
    for _ in range(count):
        yield mutated(dice.choice(known), dice, known)


def mutated(text: str, dice: random.Random, known: Sequence[str]) -> str:
    """The text after a few mutations; `known` are texts to take parts of."""
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        text = dice.choice(MUTATIONS)(text, dice, known)[: LONGEST if dice.random() < 0.002 else ROOM]
    return text


def _cut(text: str, dice: random.Random, known: Sequence[str]) -> str:
    return text[: dice.randrange(len(text) + 1)]


def _lose(text: str, dice: random.Random, known: Sequence[str]) -> str:
    start = dice.randrange(len(text) + 1)
    return text[:start] + text[start + dice.choice((1, 1, 2, 5, 20)) :]


def _insert(text: str, dice: random.Random, known: Sequence[str]) -> str:
    start = dice.randrange(len(text) + 1)
    return text[:start] + dice.choice(PIECES) + text[start:]


def _character(text: str, dice: random.Random, known: Sequence[str]) -> str:
    start = dice.randrange(len(text) + 1)
    return (
        text[:start]
        + chr(dice.choice((dice.randrange(128), dice.randrange(0x3000), dice.randrange(0x110000))))
        + text[start + 1 :]
    )


def _double(text: str, dice: random.Random, known: Sequence[str]) -> str:
    start = dice.randrange(len(text) + 1)
    end = start + dice.choice((1, 3, 10, 40))
    return text[:end] + text[start:end] * dice.choice((1, 2, 30, 500)) + text[end:]


def _splice(text: str, dice: random.Random, known: Sequence[str]) -> str:
    other = dice.choice(known)
    return text[: dice.randrange(len(text) + 1)] + other[dice.randrange(len(other) + 1) :]


def _surround(text: str, dice: random.Random, known: Sequence[str]) -> str:
    return dice.choice(PIECES) * dice.choice((1, 1, 2, 40, 3000)) + text + dice.choice(PIECES) * dice.choice((0, 1, 1, 2, 40))


def _join(text: str, dice: random.Random, known: Sequence[str]) -> str:
    return text + dice.choice(("", "\n", " and then ", ", ", ";")) + dice.choice(known)


def _quote(text: str, dice: random.Random, known: Sequence[str]) -> str:
    return dice.choice((json.dumps, repr, lambda value: f'{{"name": "f", "arguments": {{"a": {json.dumps(value)}}}}}'))(text)


MUTATIONS: tuple[Callable[[str, random.Random, Sequence[str]], str], ...] = (
    _cut, _lose, _lose, _insert, _insert, _insert, _character, _character, _double, _splice, _splice, _surround, _join, _quote,
)  # fmt: skip
