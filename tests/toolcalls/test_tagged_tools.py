"""Hermes and its kin: tools in <tools>, calls in <tool_call>, each with its traps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.importing import RowError, only_samples, read_samples
from toolcalls.records import Message, Sample

WEATHER = {
    "name": "Weather (v2)",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TIME = {"name": "clock.now", "description": "", "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}
ROME = Call("Weather (v2)", {"city": "Rome"})
CALL = '<tool_call>\n{"name": "Weather (v2)", "arguments": {"city": "Rome"}}\n</tool_call>'


def turns(*said: tuple[str, str]) -> list[dict[str, str]]:
    return [{"from": role, "value": value} for role, value in said]


def read(row: Any) -> list[Sample | RowError]:
    return list(read_samples(json.dumps(row)))


def one(row: Any) -> Sample:
    (sample,) = only_samples(read(row))
    return sample


def error(row: Any) -> str:
    (found,) = [str(each) for each in read(row) if isinstance(each, RowError)]
    return found


def test_hermes_turns_show_their_calls_in_the_paper_s_form_to_later_ones() -> None:
    said = turns(
        ("system", f"<tools>{json.dumps(WEATHER)}\n{json.dumps(TIME)}</tools>"),
        ("human", "Rome?"),
        ("gpt", f"<think>\nRome.\n</think>\nLet me look.\n{CALL}"),
        ("tool", '<tool_response>\n{"t": 20}\n</tool_response>'),
        ("gpt", "<scratch_pad>Tell it.</scratch_pad>\n20 degrees."),
    )
    first, second = only_samples(read({"conversations": said}))
    assert [tool["name"] for tool in first.tools] == ["Weather (v2)", "clock.now"]
    assert first.truth == (ROME,)
    assert second.messages[1:] == (Message("assistant", '[Weather (v2)(city="Rome")]'), Message("tool", '{"t": 20}'))
    assert (second.truth, second.truth_text) == (None, "20 degrees.")


def test_hermes_instructions_are_left_out_of_the_other_information() -> None:
    told = (
        "You are a function calling AI model. You are provided with function signatures within <tools> </tools> XML tags. "
        "You may call one or more functions to assist\nwith the user query. Don't make assumptions about what values to plug "
        f"into functions.\n<tools>\n{[WEATHER]!r}\n</tools>\nFor each function call return a JSON object, with the following "
        "pydantic model json schema:\n{'title': 'FunctionCall', 'type': 'object'}\nEach function call should be enclosed within "
        "<tool_call> </tool_call> XML tags.\n"
        "Example:\n<tool_call>\n{'name': <function-name>, 'arguments': <args-dict>}\n</tool_call>"
    )
    plain = one({"conversations": turns(("system", told), ("human", "Rome?"), ("gpt", CALL))})
    assert (plain.tools, plain.other, plain.system) == ((WEATHER,), "", None)
    pirate = f"Talk like a pirate.\n{told}"
    odd = one({"conversations": turns(("system", pirate), ("human", "Rome?"), ("gpt", CALL))})
    assert (odd.other, odd.system) == ("Talk like a pirate.", pirate)


def test_qwen_s_system_text_gives_its_tools_in_messages_too() -> None:
    told = (
        "You are Qwen.\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with "
        f"function signatures within <tools></tools> XML tags:\n<tools>\n{json.dumps({'type': 'function', 'function': WEATHER})}"
        "\n</tools>\n\nFor each function call, return a json object with function name and arguments within <tool_call>"
        '</tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
    )
    said = [{"role": "system", "content": told}, {"role": "user", "content": "Rome?"}, {"role": "assistant", "content": CALL}]
    sample = one({"messages": said})
    assert (sample.tools, sample.other, sample.truth) == ((WEATHER,), "You are Qwen.", (ROME,))


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ("<tools>[{'name': 'f'}", "opens <tools> and does not close it"),
        ("<tools>[{'name': f}]</tools>", "the system text's <tools>: neither JSON nor a Python literal at character"),
        ("<tools>[{'description': 'f'}]</tools>", "tools[0]: field 'name' is missing"),
        ("<tools>[1]</tools>", "tools[0]: an object expected, not int"),
        (f"<tools>{'{} ' * 1001}</tools>", "more than 1000 values"),
        (f"<tools>{'[' * 100_000}</tools>", "the system text's <tools>: neither JSON nor a Python literal"),
    ],
)
def test_tools_in_tags_that_cannot_be_read_are_an_error(system: str, message: str) -> None:
    assert message in error({"conversations": turns(("system", system), ("human", "Rome?"), ("gpt", CALL))})


@pytest.mark.parametrize(
    "broken", ['Let me see.\n<tool_call>\n{"name": "Weather (v2)", "arg', '<tool_call>{"name": 1}</tool_call>']
)
def test_a_broken_call_in_tags_is_no_truth_in_words(broken: str) -> None:
    assert "holds something like a call" in error({"conversations": turns(("human", "Rome?"), ("gpt", broken), ("tool", "x"))})
