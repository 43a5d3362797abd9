"""ToolACE-like rows of about 2 KB: a system text with some of 4,000 tools, a question, and the calls that answer it."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TOOLS = 4000
NO_CALLS = 0.15  # share of rows that are answered in words
TEXT = """\
You are an expert in composing functions. You are given a question and a set of possible functions. \

Based on the question, you will need to make one or more function/tool calls to achieve the purpose. \

If none of the function can be used, point it out. If the given question lacks the parameters required by the function,
also point it out. You should only return the function call in tools call sections.
Here is a list of functions in JSON format that you can invoke:
%s. \

Should you decide to return the function call(s). \

Put it in the format of [func1(params_name=params_value, params_name2=params_value2...), func2(params)]

NO other text MUST be included. \
"""


class _Words:
    """20,000 words, the nth of them drawn in proportion to 1 / n, as in natural text."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._words = ["".join(chance.choices("abcdefghijklmnoprstuvwy", k=chance.randint(2, 10))) for _ in range(20_000)]
        self._sums = list(itertools.accumulate(1 / place for place in range(1, len(self._words) + 1)))

    def text(self, count: int) -> str:
        return " ".join(self._chance.choices(self._words, cum_weights=self._sums, k=count))


def write_rows(path: Path, count: int, *, seed: int = 0) -> None:
    """JSON lines, all different."""
    with path.open("w", encoding="utf-8") as file:
        for row in toolace_rows(count, seed):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def toolace_rows(count: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    chance = random.Random(seed)
    draw = _Words(chance)
    tools = [_tool(chance, draw, number) for number in range(TOOLS)]
    for number in range(count):
        offered = chance.sample(tools, chance.choice((1, 1, 2, 2, 2, 3)))
        question = f"{draw.text(chance.randint(12, 50)).capitalize()}? My reference is {number}."
        said = [{"from": "user", "value": question}, {"from": "assistant", "value": _answer(chance, draw, offered)}]
        yield {"system": TEXT % json.dumps(offered, ensure_ascii=False), "conversations": said}


def _tool(chance: random.Random, words: _Words, number: int) -> dict[str, Any]:
    properties = {}
    for name in dict.fromkeys(words.text(chance.randint(1, 4)).split()):
        kind = chance.choice(("string", "string", "int", "float", "bool", "array"))
        properties[f"{name}_{kind[:1]}"] = {"description": words.text(chance.randint(4, 12)), "type": kind}
    parameters = {"type": "dict", "properties": properties, "required": list(properties)[:1]}
    name = f"{words.text(2).title()} V{number}" if chance.random() < 0.5 else f"{words.text(1)}_{number}"
    return {"name": name, "description": words.text(14), "parameters": parameters, "required": None}


def _answer(chance: random.Random, words: _Words, offered: list[dict[str, Any]]) -> str:
    if chance.random() < NO_CALLS:
        return words.text(30).capitalize() + "."
    called = chance.sample(offered, chance.randint(1, min(2, len(offered))))
    return "[" + ", ".join(f"{tool['name']}({_arguments(chance, words, tool)})" for tool in called) + "]"


def _arguments(chance: random.Random, words: _Words, tool: dict[str, Any]) -> str:
    values = {
        "string": lambda: json.dumps(words.text(chance.randint(1, 4))),
        "int": lambda: str(chance.randrange(1000)),
        "float": lambda: f"{chance.random() * 100:.2f}",
        "bool": lambda: chance.choice(("True", "False")),
        "array": lambda: json.dumps([words.text(1) for _ in range(chance.randint(1, 3))]),
    }
    return ", ".join(f"{name}={values[about['type']]()}" for name, about in tool["parameters"]["properties"].items())
