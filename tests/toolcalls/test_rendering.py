"""Calls as text in every dialect, and those whose look alone tells that they can be read back."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call, Calls
from toolcalls.dialects import DIALECTS
from toolcalls.parsing import parse
from toolcalls.rendering import render, surely_survives

F, G = Call("f", {"a": 1, "b": "x"}), Call("get weather", {})
FORMS = [dialect.name for dialect in DIALECTS]
SPACED = [form for form in FORMS if form not in ("glm", "harmony")]  # those that carry any name with a space in it
WRITTEN = {
    "paper": '[f(a=1, b="x"), get weather()]',
    "strings": '["f(a=1, b=\\"x\\")", "get weather()"]',
    "json": '[{"name": "f", "arguments": {"a": 1, "b": "x"}}, {"name": "get weather", "arguments": {}}]',
    "openai": (
        '{"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": "{\\"a\\": 1, \\"b\\": \\"x\\"}"}}, '
        '{"type": "function", "function": {"name": "get weather", "arguments": "{}"}}]}'
    ),
    "bfcl_fc": '[{"f": "{\\"a\\": 1, \\"b\\": \\"x\\"}"}, {"get weather": "{}"}]',
    "hermes": (
        '<tool_call>\n{"name": "f", "arguments": {"a": 1, "b": "x"}}\n</tool_call>\n'
        '<tool_call>\n{"name": "get weather", "arguments": {}}\n</tool_call>'
    ),
    "toolrl": (
        '<tool_call>\n{"name": "f", "parameters": {"a": 1, "b": "x"}}\n{"name": "get weather", "parameters": {}}\n</tool_call>'
    ),
    "when2call": (
        '<TOOLCALL>[{"name": "f", "arguments": {"a": 1, "b": "x"}}, {"name": "get weather", "arguments": {}}]</TOOLCALL>'
    ),
    "llama3": '<|python_tag|>{"name": "f", "parameters": {"a": 1, "b": "x"}}; {"name": "get weather", "parameters": {}}',
    "mistral": '[TOOL_CALLS] [{"name": "f", "arguments": {"a": 1, "b": "x"}}, {"name": "get weather", "arguments": {}}]',
    "glaive": (
        """<functioncall> {"name": "f", "arguments": '{"a": 1, "b": "x"}'}\n"""
        """<functioncall> {"name": "get weather", "arguments": '{}'}"""
    ),
    "qwen": (
        "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\nx\n</parameter>\n</function>\n</tool_call>\n"
        "<tool_call>\n<function=get weather>\n</function>\n</tool_call>"
    ),
    "qwen2": '✿FUNCTION✿: f\n✿ARGS✿: {"a": 1, "b": "x"}\n✿FUNCTION✿: get weather\n✿ARGS✿: {}',
    "functionary": '<function=f>{"a": 1, "b": "x"}</function>\n<function=get weather>{}</function>',
    "deepseek": (
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{"a": 1, "b": "x"}<｜tool▁call▁end｜>'
        "<｜tool▁call▁begin｜>get weather<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
    ),
    "invoke": (
        '<function_calls>\n<invoke name="f">\n<parameter name="a">1</parameter>\n<parameter name="b">x</parameter>\n</invoke>\n'
        '<invoke name="get weather">\n</invoke>\n</function_calls>'
    ),
    "gemma": (
        "<start_function_call>call:f{a:1,b:<escape>x<escape>}<end_function_call>\n"
        "<start_function_call>call:get weather{}<end_function_call>"
    ),
    "react": 'Action: f\nAction Input: {"a": 1, "b": "x"}\nAction: get weather\nAction Input: {}',
    "kimi": (
        '<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": 1, "b": "x"}'
        "<|tool_call_end|><|tool_call_begin|>functions.get weather:1<|tool_call_argument_begin|>{}"
        "<|tool_call_end|><|tool_calls_section_end|>"
    ),
}


@pytest.mark.parametrize(("form", "text"), WRITTEN.items())
def test_calls_are_written_as_each_dialect_does(form: str, text: str) -> None:
    assert render([F, G], form) == text
    assert parse(text) == parse(text, strict=True) == Calls((F, G), form)


def test_a_name_with_a_space_and_no_arguments_is_none_of_glm() -> None:
    assert render([F], "glm") == (
        "<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n<arg_key>b</arg_key>\n<arg_value>x</arg_value>\n</tool_call>"
    )
    with pytest.raises(ValueError, match="the name 'get weather', which the form 'glm' cannot carry"):
        render([F, G], "glm")


def test_a_name_with_a_space_is_none_of_harmony() -> None:
    written = [F, Call("weather")]
    text = (
        '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a": 1, "b": "x"}<|call|><|start|>assistant'
        "<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{}<|call|>"
    )
    assert render(written, "harmony") == text
    assert parse(text) == Calls(tuple(written), "harmony")
    with pytest.raises(ValueError, match="the name 'get weather', which the form 'harmony' cannot carry"):
        render([F, G], "harmony")


def test_every_form_is_written_in_a_test() -> None:
    assert set(FORMS) == {*WRITTEN, "glm", "harmony"}


def test_one_call_is_an_object_and_no_list_in_bare_json() -> None:
    assert render([G], "json") == '{"name": "get weather", "arguments": {}}'


RAW = [
    ("5", '"5"'),
    ("True", '"True"'),
    ("null", '"null"'),
    ("[1, 2]", '"[1, 2]"'),
    ("['a']", "\"['a']\""),
    ('"x"', '"\\"x\\""'),
    ("", ""),
    ("\n", "\n"),
    ("1 + 1", "1 + 1"),
    ("2024-01-01", "2024-01-01"),
    ("007", "007"),
    ("<b>x</b>", "<b>x</b>"),
    ("a</parameter>\n</function>", '"a\\u003c/parameter>\\n\\u003c/function>"'),
    (5, "5"),
    (True, "true"),
    (None, "null"),
    ({"a": "</function>"}, '{"a": "\\u003c/function>"}'),
]


@pytest.mark.parametrize(("value", "text"), RAW)
def test_values_without_a_schema_are_quoted_where_they_would_be_read_as_another(value: object, text: str) -> None:
    call = Call("f", {"a": value, "b": "x"})
    assert f"<parameter=a>\n{text}\n</parameter>" in render([call], "qwen")
    for form in ("qwen", "glm", "invoke"):
        assert parse(render([call], form)) == Calls((call,), form)


MARKS = [
    *("5", "true", "None", "[1]", "['a']", "</parameter>\n", "</function>", "<tool_call>", "</tool_call>", "</TOOLCALL>"),
    *("<arg_key>", "</arg_value>", "}'", "[TOOL_CALLS]", "```", "<think>", "</think>", "✿ARGS✿", "<|eot_id|>", "f(a=1)"),
    *('{"name": "f", "arguments": {}}', "[f(a=1)]", " 5 ", "1e999", "<｜tool▁sep｜>", "<function=f>{}</function>"),
]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**64) + 1, 10**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab5 \n\t\"'\\/[](){}=,:;é城😀\x7f\u2028<>|✿`", max_size=8)
    | st.sampled_from(MARKS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abé\"'\\<>", max_size=3), inner, max_size=3),
    max_leaves=6,
)
usual_names = st.from_regex(r"\A[abéF城][abé城F._0-]{0,4}( [a0é城-]{1,3}){0,2}\Z")
usual_calls = st.builds(Call, usual_names, st.dictionaries(usual_names, json_values, max_size=3))
any_names = st.text("abzéF城-._'0 ()[]{}\"\\<>,=:\n✿", min_size=1, max_size=8)
any_calls = st.builds(Call, usual_names | any_names, st.dictionaries(usual_names | any_names, json_values, max_size=3))


@given(written=st.lists(any_calls, min_size=1, max_size=4))
def test_rendered_calls_are_read_back_unchanged_in_every_dialect_that_carries_them(written: list[Call]) -> None:
    for form in FORMS:
        try:
            text = render(written, form)
        except ValueError:
            continue
        answer = parse(text)
        assert answer == parse(text, strict=True) == Calls(tuple(written), form)
        assert isinstance(answer, Calls)
        assert repr(answer.calls) == repr(tuple(written))  # 1 stays 1, 1.0 stays 1.0, True stays True


@given(written=st.lists(usual_calls, min_size=1, max_size=3))
def test_every_dialect_carries_names_with_spaces_dots_hyphens_and_chinese(written: list[Call]) -> None:
    for form in {*SPACED} - {"gemma"}:  # whose keys hold no marks
        assert parse(render(written, form)) == Calls(tuple(written), form)


@pytest.mark.parametrize("form", SPACED)
@pytest.mark.parametrize("name", ["User Feed (Video Posts) V2", "uber.ride", "get-time", "查询 天气", "Top (a, b) (c (d)) List"])
def test_every_dialect_carries_the_names_of_toolace(form: str, name: str) -> None:
    written = (Call(name, {"a": 1}), Call(name))
    assert parse(render(written, form), strict=True) == Calls(written, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("depth", [32, 33])
def test_values_nested_up_to_the_limit_are_carried_by_every_dialect(form: str, depth: int) -> None:
    value: object = 1
    for _ in range(depth):
        value = [value]
    call = Call("f", {"a": value})
    if depth > 32:
        with pytest.raises(ValueError, match=r"nested more than 32 deep in f\.a"):
            render([call], form)
    else:
        assert parse(render([call], form)) == Calls((call,), form)


UNCARRIED = [
    ([Call("f", {"a": float("nan")})], "the number nan in f.a"),
    ([Call("f", {"a": [float("-inf")]})], "the number -inf in f.a"),
    ([Call("f", {"a": 10**64})], "a number of more than 64 digits in f.a"),
    ([Call("f", {"a": "\0"})], "a text with a NUL character or half of a surrogate pair in f.a"),
    ([Call("f", {"a": {"\ud800": 1}})], "half of a surrogate pair in f.a"),
    ([Call("f", {"a": {1: 2}})], "the key 1 in f.a"),
    ([Call("f", {"a": {1, 2}})], "a value of type set in f.a"),
    ([Call("f\0")], "the name 'f\\x00'"),
    ([Call("f", {"\ud800": 1})], "the name '\\ud800'"),
    ([Call("f" * 257)], "the name 'ff"),
    ([Call(" ")], "the name ' '"),
    ([Call("f")] * 513, "more than 512 calls"),
    ([Call("f", {"a": "x" * 70_000})], "calls of more than 65536 characters"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("written", "said"), UNCARRIED)
def test_what_no_dialect_can_carry_is_refused_by_its_name(form: str, written: list[Call], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"which the form {form!r} cannot carry")) as refused:
        render(written, form)
    assert said in str(refused.value)


UNCARRIED_NAMES = [
    ("paper", Call("f(x"), "the name 'f(x'"),
    ("paper", Call("f=1"), "the name 'f=1'"),
    ("paper", Call("f", {"a=b": 1}), "a parameter's name of 'f'"),
    ("strings", Call('f"'), "the name"),
    ("qwen", Call("f>"), "the name 'f>'"),
    ("qwen", Call("f", {"a\nb": 1}), "the name 'a\\nb'"),
    ("functionary", Call(" f"), "the name ' f'"),
    ("deepseek", Call("f<"), "the name 'f<'"),
    ("kimi", Call("f\n"), "the name 'f\\n'"),
    ("glm", Call("{f", {"a": 1}), "the name '{f'"),
    ("qwen2", Call("✿"), "the name '✿'"),
    ("invoke", Call('f"'), "the name 'f\"'"),
    ("gemma", Call("f", {"a:b": 1}), "the name 'a:b'"),
    ("gemma", Call("f", {"a": ["<escape>"]}), "a text with '<escape>' in it"),
    ("react", Call("f\ng"), "the name 'f\\ng'"),
]


@pytest.mark.parametrize(("form", "call", "said"), UNCARRIED_NAMES)
def test_a_name_that_a_dialect_cannot_tell_from_its_marks_is_refused(form: str, call: Call, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        render([Call("f"), call], form)


def test_an_unknown_form_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown call form 'xml'; known: .*'paper'"):
        render([F], "xml")


names = st.text(string.ascii_letters + "é城 .-_0()[]=,\"'\n", max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab \"'\\\n\t\0\ud800城😀(){}=,", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)
calls = st.lists(st.builds(Call, names, st.dictionaries(names, values, max_size=3)), min_size=1, max_size=3)


@given(calls)
def test_calls_that_surely_survive_are_read_back_unchanged(written: list[Call]) -> None:
    if surely_survives(written):
        assert parse(render(written)) == Calls(tuple(written), "paper")


@pytest.mark.parametrize("value", ["x" * 4000, '"' * 3900, "\n" * 3900, "\x01" * 3900, ["\x7f" * 6] * 500, 10**18 - 1])
def test_the_room_keeps_calls_within_the_limits(value: object) -> None:
    """The largest that pass, in their worst spelling."""
    written = (Call("f", {"a": value}),)
    assert surely_survives(written)
    assert parse(render(written)) == Calls(written, "paper")
    many = tuple(Call("f", {}) for _ in range(440))
    assert surely_survives(many)
    assert parse(render(many)) == Calls(many, "paper")
    wide = (Call("f", {f"a{number}": -1.2345678901234567e-300 for number in range(500)}),)
    assert surely_survives(wide)
    assert parse(render(wide)) == Calls(wide, "paper")


@pytest.mark.parametrize(
    "call",
    [
        Call("", {}),
        Call("f(x)", {}),
        Call("f ", {}),
        Call("f" * 200, {}),
        Call("f", {"a=b": 1}),
        Call("f", {"": 1}),
        Call("f", {"a": 10**18}),
        Call("f", {"a": float("nan")}),
        Call("f", {"a": "\0"}),
        Call("f", {"a": ["\ud800"]}),
        Call("f", {"a": {"b": 1}}),
        Call("f", {"a": "x" * 5000}),
    ],
)
def test_what_needs_a_closer_look_gets_one(call: Call) -> None:
    assert not surely_survives((call,))


@pytest.mark.parametrize(
    "call", [Call("Get X v1.2-b", {"a": "1", "b.c-d": 2.5, "été": None}), Call("f", {"a": True, "b": ["x", "y"]}), Call("f")]
)
def test_the_usual_shapes_need_none(call: Call) -> None:
    assert surely_survives((call,))
