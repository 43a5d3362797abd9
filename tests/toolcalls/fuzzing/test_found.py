"""What fuzzing found, each case minimised and written anew: a rule by its name."""

from __future__ import annotations

import pytest

from toolcalls.answers import Call, Calls, ParseFailure
from toolcalls.parsing import parse
from toolcalls.rendering import render


@pytest.mark.parametrize(
    "text",
    [
        '[f(a="x",#  b="y")]',
        "<start_function_call>call:f{a:1,# b:2}<end_function_call>",
    ],
)
def test_a_parameter_does_not_begin_with_the_mark_of_a_comment(text: str) -> None:
    assert isinstance(parse(text, strict=True), ParseFailure)


@pytest.mark.parametrize("value", [r'{"a": "b\L"}', "{'a': None}", "[1, 2,]", "[.5]"])
def test_a_list_that_is_no_json_between_tags_is_no_text_to_a_strict_reading(value: str) -> None:
    text = f'<function_calls>\n<invoke name="f">\n<parameter name="a">{value}</parameter>\n</invoke>\n</function_calls>'
    assert isinstance(parse(text, strict=True), ParseFailure)
    answer = parse(text)
    assert isinstance(answer, Calls)
    assert not isinstance(answer.calls[0].arguments["a"], str)
    assert answer.tolerated


def test_marks_before_a_name_are_the_same_to_both_readings() -> None:
    text = "[f(),``` g(a=1)]"
    assert parse(text, strict=True) == parse(text)


@pytest.mark.parametrize("form", ["qwen", "glm", "gemma", "invoke"])
def test_a_parameter_without_a_name_is_not_written_between_tags(form: str) -> None:
    with pytest.raises(ValueError, match=f"the name '', which the form '{form}' cannot carry"):
        render([Call("f", {"": 1})], form)
