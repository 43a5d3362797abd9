"""Rows that hold anything anywhere, or very much of it: reading them never raises, and takes time in proportion."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.toolcalls.format_rows import ROWS, WEATHER, toolrl_system
from toolcalls.formats import READERS
from toolcalls.importing import read_samples
from toolcalls.records import Sample

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(max_size=8)
    | st.sampled_from(["<tools>", "[f(", "{", "USER:", "<user>"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "role", "from", "type", "x"]), inner),
    max_leaves=6,
)


def spoilt(data: st.DataObject, value: Any) -> Any:
    """The value with something else somewhere in it, or with something missing, or with a text cut or filled in."""
    if isinstance(value, (dict, list)) and value and data.draw(st.integers(0, 9)) != 0:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        at = data.draw(st.sampled_from(keys))
        if data.draw(st.integers(0, 9)) == 0:
            return {key: value[key] for key in keys if key != at} if isinstance(value, dict) else [*value[:at], *value[at + 1 :]]
        changed = {key: value[key] for key in keys} | {at: spoilt(data, value[at])}
        return changed if isinstance(value, dict) else list(changed.values())
    if isinstance(value, str) and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(value)))
        return value[:at] + data.draw(st.text(max_size=3)) + value[data.draw(st.sampled_from([at, at + 1, len(value)])) :]
    return data.draw(anything)


@settings(max_examples=200)
@given(st.data(), st.sampled_from(list(READERS)), st.booleans())
def test_whatever_stands_in_a_row_it_is_read_or_refused_in_words(data: st.DataObject, name: str, guessed: bool) -> None:
    row = spoilt(data, ROWS[name])
    for found in read_samples(json.dumps(row), "auto" if guessed else name):
        assert isinstance(found, Sample) or (found.line == 1 and len(found.message) > 10)


LONG: dict[str, Callable[[int], dict[str, Any]]] = {
    "glaive": lambda size: {"system": "{} " * 900, "chat": "USER: hi\nASSISTANT: " + "x <functioncall> " * size},
    "hermes": lambda size: {"conversations": [{"from": "system", "value": "<tools></tools>" * size + "<tools>[1]</tools>"}]},
    "hammer": lambda size: ROWS["hammer"] | {"output": "```" * size},
    "ms_swift": lambda size: ROWS["ms_swift"] | {"messages": [{"role": "tool_call", "content": '{"name": "f"}'}] * size},
    "openai": lambda size: {"messages": [{"role": "assistant", "content": "<think>a</think> b"}] * size, "tools": [WEATHER]},
    "sharegpt": lambda size: {"conversations": [{"from": "gpt", "value": "<think>" * size + "</think>" * size}]},
    "toolrl": lambda size: {"instruction": toolrl_system("{}"), "input": "<user>a</user><think>" * size, "output": "[" * size},
    "xlam": lambda size: {"query": "a", "tools": "[]", "answers": json.dumps([{"name": "f", "arguments": {}}] * size)},
}


def seconds(row: dict[str, Any], name: str) -> float:
    """The least of three."""
    text, taken = json.dumps(row), []
    for _ in range(3):
        begun = time.process_time()
        list(read_samples(text, name))
        taken.append(time.process_time() - begun)
    return min(taken)


@pytest.mark.parametrize("name", LONG)
def test_a_row_ten_times_as_long_takes_no_more_than_some_ten_times_the_work(name: str) -> None:
    short, long = seconds(LONG[name](500), name), seconds(LONG[name](5_000), name)
    assert long < 15 * short + 0.05
