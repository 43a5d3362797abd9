from __future__ import annotations

from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.correcting import corrected
from toolcalls.errors import InputError
from toolcalls.records import Message, Sample

WEATHER = {
    "name": "get_weather",
    "parameters": {"type": "dict", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]},
}
SAMPLE = Sample(
    "s", (WEATHER,), (Message("user", "Rome?"),), (Call("get_weather", {"city": "Oslo"}),), '[get_weather(city="Oslo")]'
)


def test_a_corrected_sample_has_the_other_truth_and_is_else_the_same() -> None:
    made = corrected(SAMPLE, [Call("get_weather", {"city": "Rome", "days": 2})])
    assert made.truth == (Call("get_weather", {"city": "Rome", "days": 2}),)
    assert made.truth_text is None
    assert (made.id, made.tools, made.messages, made.split) == (SAMPLE.id, SAMPLE.tools, SAMPLE.messages, SAMPLE.split)


@pytest.mark.parametrize(("category", "after"), [("simple", "parallel"), ("travel", "travel")])
def test_the_category_follows_the_calls_unless_the_source_named_it(category: str, after: str) -> None:
    sample = Sample(SAMPLE.id, SAMPLE.tools, SAMPLE.messages, SAMPLE.truth, category=category)
    made = corrected(sample, [Call("get_weather", {"city": "Rome"}), Call("get_weather", {"city": "Lima"})])
    assert made.category == after


def test_a_truth_may_become_a_text_that_calls_nothing_and_back() -> None:
    made = corrected(SAMPLE, None, " No tool can do that. ")
    assert (made.truth, made.truth_text) == (None, "No tool can do that.")
    assert corrected(made, SAMPLE.truth).truth == SAMPLE.truth


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([], "there is no call; give one, or a text that calls nothing"),
        ([Call("get_wether", {"city": "Rome"})], "unknown tool 'get_wether'"),
        ([Call("get_weather", {"city": 5})], "city: a text is needed, not 5"),
        ([Call("get_weather", {"town": "Rome"})], "'get_weather' has no parameter 'town'; 'get_weather' needs parameter 'city'"),
        (
            [Call("get_weather", {"city": "Rome"}), Call("get_weather", {"city": "Rome", "days": "x"}), Call("f")],
            "call 2, days: a whole number is needed, not 'x'; call 3, unknown tool 'f'",
        ),
    ],
)
def test_what_breaks_the_tools_descriptions_is_refused_with_every_problem(calls: list[Call], said: str) -> None:
    with pytest.raises(InputError) as refused:
        corrected(SAMPLE, calls)
    assert str(refused.value) == f"the truth cannot be this: {said}"


def nested(depth: int) -> Any:
    return [] if depth == 0 else [nested(depth - 1)]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "in the call form"),
        (float("inf"), "in the call form"),
        (nested(90), "in the call form"),
        (nested(900), "deep"),
    ],
)
def test_what_no_model_could_write_is_refused(value: Any, said: str) -> None:
    tool = {"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "any"}}}}
    sample = Sample("s", (tool,), (Message("user", "?"),), None, "no")
    with pytest.raises(InputError, match=said):
        corrected(sample, [Call("f", {"x": value})])


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "neither a call nor a text"), (" \n", "neither a call nor a text"), ('[get_weather(city="Rome")]', "reads as calls")],
)
def test_a_text_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        corrected(SAMPLE, None, text)


def test_the_truth_that_a_sample_has_already_is_no_correction() -> None:
    with pytest.raises(InputError, match="is the truth already"):
        corrected(SAMPLE, SAMPLE.truth)
    text = Sample("s", (), (Message("user", "?"),), None, "No.")
    with pytest.raises(InputError, match="is the truth already"):
        corrected(text, None, "No. ")
