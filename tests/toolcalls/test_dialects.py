"""Every dialect's own spelling, what is tolerated beside it, and what cannot be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call, Calls, ParseFailure, Text
from toolcalls.dialects import DIALECTS
from toolcalls.parsing import parse
from toolcalls.rendering import render

F, G = Call("f", {"a": 1}), Call("g", {})
PIECES = [*"[]{},:\"\\'10-+.ea \n/é", "u0041", "true", "null", "None", '"a"', '"a": ', "1.5", '"\\n"']
json_texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)

OWN = [
    ("hermes", '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>', [F]),
    (
        "hermes",
        '<tool_call>{"arguments": {"a": 1}, "name": "f"}</tool_call>\n<tool_call>{"name": "g", "arguments": {}}</tool_call>',
        [F, G],
    ),
    ("hermes", '<tool_call>\n{"id": 1, "name": "f", "arguments": {"a": 1}}\n</tool_call>', [F]),
    ("toolrl", '<tool_call>\n{"name": "f", "parameters": {"a": 1}}\n</tool_call>', [F]),
    ("toolrl", '<tool_call>\n{"name": "f", "parameters": {"a": 1}}\n{"name": "g", "parameters": {}}\n</tool_call>', [F, G]),
    ("when2call", '<TOOLCALL>[{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}]</TOOLCALL>', [F, G]),
    ("json", '{"name": "f", "arguments": {"a": 1}}', [F]),
    ("json", '[{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}]', [F, G]),
    ("json", '{"name": "f", "parameters": {"a": 1}}', [F]),
    ("json", '{"type": "function", "name": "f", "parameters": {"a": 1}}', [F]),
    ("json", '{"arguments": {"a": 1}, "name": "f"}', [F]),
    ("openai", '{"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\\"a\\": 1}"}}]}', [F]),
    ("openai", '{"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}', [F]),
    ("openai", '{"tool_calls": [{"function": {"name": "f", "arguments": "{\\"a\\": 1}"}}], "content": "I call."}', [F]),
    (
        "openai",
        '[{"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}, {"function": {"name": "g", "arguments": "{}"}}]',
        [F, G],
    ),
    ("openai", '{"type": "function", "function": {"name": "f", "arguments": "{\\"a\\": 1}"}}', [F]),
    ("openai", '{"function_call": {"name": "f", "arguments": "{\\"a\\": 1}"}}', [F]),
    ("llama3", '<|python_tag|>{"name": "f", "parameters": {"a": 1}}', [F]),
    ("llama3", '<|python_tag|>{"name": "f", "parameters": {"a": 1}}; {"name": "g", "parameters": {}}', [F, G]),
    ("llama3", '<|python_tag|>{"type": "function", "name": "f", "parameters": {"a": 1}}', [F]),
    ("llama3", '<|python_tag|>brave_search.call(query="x")', [Call("brave_search", {"query": "x"})]),
    ("mistral", '[TOOL_CALLS] [{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}]', [F, G]),
    ("mistral", '[TOOL_CALLS][{"name": "f", "arguments": {"a": 1}, "id": "Ab1Cd2Ef3"}]', [F]),
    ("mistral", '[TOOL_CALLS]f[ARGS]{"a": 1}[TOOL_CALLS]g[ARGS]{}', [F, G]),
    ("mistral", '[TOOL_CALLS]f[CALL_ID]Ab1Cd2Ef3[ARGS]{"a": 1}', [F]),
    ("qwen", "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>", [F]),
    (
        "qwen",
        "<tool_call>\n<function=g>\n</function>\n</tool_call>\n<tool_call>\n<function=g>\n</function>\n</tool_call>",
        [G, G],
    ),
    ("qwen2", '✿FUNCTION✿: f\n✿ARGS✿: {"a": 1}', [F]),
    ("qwen2", '✿FUNCTION✿: f\n✿ARGS✿: {"a": 1}\n✿FUNCTION✿: g\n✿ARGS✿: {}', [F, G]),
    ("glaive", """<functioncall> {"name": "f", "arguments": '{"a": 1}'}""", [F]),
    (
        "glaive",
        """<functioncall> {"name": "g", "arguments": '{}'}\n<functioncall> {"name": "f", "arguments": '{\n  "a": 1\n}'}""",
        [G, F],
    ),
    ("functionary", '<function=f>{"a": 1}</function>', [F]),
    ("functionary", '<function=f>{"a": 1}</function>\n<function=g>{}</function>', [F, G]),
    (
        "deepseek",
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{"a": 1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        [F],
    ),
    (
        "deepseek",
        (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n"
            '{"a": 1}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>g<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>'
        ),
        [F, G],
    ),
    (
        "kimi",
        (
            '<|tool_calls_section_begin|><|tool_call_begin|>functions.a.f:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|>'
            "<|tool_call_begin|>functions.g:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>"
        ),
        [Call("a.f", {"a": 1}), G],
    ),
    (
        "invoke",
        (
            '<function_calls>\n<invoke name="f">\n<parameter name="a">1</parameter>\n</invoke>\n'
            '<invoke name="g">\n</invoke>\n</function_calls>'
        ),
        [F, G],
    ),
    ("invoke", '<minimax:tool_call>\n<invoke name="f">\n<parameter name="a">1</parameter>\n</invoke>\n</minimax:tool_call>', [F]),
    (
        "invoke",
        (
            '<｜DSML｜function_calls>\n<｜DSML｜invoke name="f">\n'
            '<｜DSML｜parameter name="a" string="true">1</｜DSML｜parameter>\n'
            '<｜DSML｜parameter name="b" string="false">[1]</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>'
        ),
        [Call("f", {"a": "1", "b": [1]})],
    ),
    ("gemma", "<start_function_call>call:f{a:1}<end_function_call>", [F]),
    (
        "gemma",
        '<|tool_call>call:f{a:<|"|>x, {y}<|"|>,b:[<|"|>z<|"|>,true],c:{d:1.5}}<tool_call|>\n<|tool_call>call:g{}<tool_call|>',
        [Call("f", {"a": "x, {y}", "b": ["z", True], "c": {"d": 1.5}}), G],
    ),
    ("react", 'Action: f\nAction Input: {"a": 1}', [F]),
    ("react", 'Action: f\nAction Input: {"a": 1}\nAction: g\nAction Input: {}', [F, G]),
    ("harmony", '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a": 1}<|call|>', [F]),
    ("harmony", '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a": 1}', [F]),
    ("harmony", '<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{"a": 1}<|call|>', [F]),
    ("glm", "<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n</tool_call>", [F]),
    ("glm", "<tool_call>f<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>\n<tool_call>g</tool_call>", [F, G]),
]


@pytest.mark.parametrize(("form", "text", "calls"), OWN)
def test_own_spelling_is_read_strictly_and_tolerantly_alike(form: str, text: str, calls: list[Call]) -> None:
    expected = Calls(tuple(calls), form)
    assert parse(text, strict=True) == expected
    assert parse(text) == expected
    assert parse(f"\n {text}\n") == expected


@pytest.mark.parametrize(("form", "text", "calls"), [row for row in OWN if row[0] not in ("json", "openai")])
def test_words_around_a_dialect_with_marks_of_its_own_are_looked_past(form: str, text: str, calls: list[Call]) -> None:
    answer = parse(f"I look it up.\n{text}\n")
    assert answer == Calls(tuple(calls), form, ("prose",))
    assert isinstance(parse(f"I look it up.\n{text}\n", strict=True), ParseFailure)


TOLERATED = [
    ("hermes", "<tool_call>\n{'name': 'f', 'arguments': {'a': 1, 'b': None, 'c': True}}\n</tool_call>", "python dict"),
    ("hermes", "<tool_call>\n{'name': 'f', 'arguments': {'a': 1, 'b': 'it\\'s\n'}}\n</tool_call>", "python dict"),
    ("hermes", '<tool_call>\n{name: "f", arguments: {a: 1, "b": 2}}\n</tool_call>', "unquoted key"),
    ("hermes", '<tool_call>\n{"name": "f", "arguments": {"a": 1,},}\n</tool_call>', "trailing comma"),
    ("hermes", '<tool_call>\n{"name": "f", "arguments": "{\\"a\\": 1}"}\n</tool_call>', "arguments as text"),
    ("hermes", '<tool_call>\n{"parameters": {"a": 1}, "name": "f"}\n</tool_call>', "other key names"),
    ("hermes", '<tool_call>\n{"function": {"name": "f", "arguments": {"a": 1}}}\n</tool_call>', "a nested function"),
    ("hermes", '<tool_call>\n[{"name": "f", "arguments": {"a": 1}}]\n</tool_call>', "a list in a block"),
    ("hermes", "<tool_call>\n[f(a=1)]\n</tool_call>", "calls as text"),
    ("hermes", '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_calls>', "another tag"),
    ("hermes", '<tool_calls>\n{"name": "f", "arguments": {"a": 1}}\n</tool_calls>', "another tag"),
    ("hermes", '<tool_call>\n{"name": "f", "arguments": {"a": 1}, "why": "for it"}\n</tool_call>', "other keys"),
    ("hermes", '<tool_call>\n```json\n{"name": "f", "arguments": {"a": 1}}\n```\n</tool_call>', "fence"),
    ("hermes", '<tool_call>\n{{"name": "f", "arguments": {"a": 1}}}\n</tool_call>', "doubled braces"),
    ("hermes", '<tool_call>\n{"name": "f", "arguments": {"a": 1}\n</tool_call>', "missing bracket"),
    ("hermes", '<tool_call>\n{"name": "f", "arguments": {"a": 1}}}\n</tool_call>', "stray mark"),
    ("when2call", '<TOOLCALL>[{"name": "f", "arguments": {"a": 1}}</TOOLCALL>', "missing bracket"),
    ("when2call", '<TOOLCALL>{"name": "f", "arguments": {"a": 1}}</TOOLCALL>', "no brackets"),
    ("json", "{'name': 'f', 'arguments': {'a': 1}}", "python dict"),
    ("json", '{"name": "f", "args": {"a": 1}}', "other key names"),
    ("json", '{"tool_name": "f", "parameters": {"a": 1}}', "other key names"),
    ("json", '{"api": "f", "parameters": {"a": 1}}', "other key names"),
    ("json", '{"Action": "f", "Action_Input": {"a": 1}}', "other key names"),
    ("json", '{"name": "f", "arguments": "{\\"a\\": 1}"}', "arguments as text"),
    ("llama3", '<|python_tag|>[{"name": "f", "parameters": {"a": 1}}]', "a list in a block"),
    ("mistral", '[TOOL_CALLS]{"name": "f", "arguments": {"a": 1}}', "no brackets"),
    ("mistral", '[TOOL_CALLS]f{"a": 1}', "another tag"),
    ("glaive", '<functioncall> {"name": "f", "arguments": {"a": 1}}', "arguments as an object"),
    ("glaive", '<functioncall> {"name": "f", "arguments": "{\\"a\\": 1}"}', "arguments as text"),
    ("glaive", """<function_call> {"name": "f", "arguments": '{"a": 1}'}""", "another tag"),
    ("glaive", """<functioncall> {"name": "f", "arguments": '{"a": 1}'} </functioncall>""", "another tag"),
    ("qwen", "<function=f>\n<parameter=a>\n1\n</parameter>\n</function>", "missing tag"),
    ("qwen", "<tool_call>\n<function=f>\n<parameter=a>\n1\n</function>\n</tool_call>", "missing tag"),
    ("deepseek", '<｜tool▁call▁begin｜>f<｜tool▁sep｜>{"a": 1}<｜tool▁call▁end｜>', "missing tag"),
    ("invoke", '<invoke name="f"><parameter name="a">1</parameter></invoke>', "missing tag"),
    ("kimi", '<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|>', "missing tag"),
]


@pytest.mark.parametrize(("form", "text", "what"), TOLERATED)
def test_other_spelling_is_tolerated_by_name_and_refused_strictly(form: str, text: str, what: str) -> None:
    answer = parse(text)
    assert isinstance(answer, Calls), answer
    assert (answer.form, answer.tolerated) == (form, (what,))
    assert [call.name for call in answer.calls] == ["f"]
    assert answer.calls[0].arguments["a"] == 1
    strictly = parse(text, strict=True)
    assert isinstance(strictly, ParseFailure)


@pytest.mark.parametrize("value", ["+5", ".5", "2.", '"two\nlines"', '"a\ttab"', '"\\x41"', '"\\d"', '"\\\'"'])
def test_what_json_itself_would_refuse_is_looked_past(value: str) -> None:
    for text in (f'{{"name": "f", "arguments": {{"a": {value}}}}}', f'[TOOL_CALLS]f[ARGS]{{"a": [{value}]}}'):
        answer = parse(text)
        assert isinstance(answer, Calls)
        assert answer.tolerated == ("loose json",)
        assert isinstance(parse(text, strict=True), ParseFailure)


@given(value=json_texts)
def test_a_strict_reading_of_json_is_that_of_the_json_module(value: str) -> None:
    answer = parse(f'{{"name": "f", "arguments": {{"a": {value}}}}}', strict=True)
    try:
        expected = json.loads(value)
    except ValueError:
        assert not isinstance(answer, Calls)
    else:
        if isinstance(answer, Calls):
            assert repr(answer.calls[0].arguments["a"]) == repr(expected)
        else:
            assert isinstance(answer, ParseFailure)
            assert any(word in answer.reason for word in ("given twice", "too large", "NUL", "surrogate", "deep", "digits"))


ROWS = [
    '<tool_call>{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}</tool_call>',
    '{"name": "f", "arguments": {"a": 1}}\n{"name": "g", "arguments": {}}',
    '{"name": "f", "arguments": {"a": 1}}; {"name": "g", "arguments": {}}',
    '<tool_call>{"name": "f", "arguments": {"a": 1}}<tool_call>{"name": "g", "arguments": {}}</tool_call>',
    "<function=f><parameter=a>1</parameter></function>\n</tool_call> <function=g></function>",
]


@pytest.mark.parametrize("text", ROWS)
def test_calls_in_a_row_are_all_read(text: str) -> None:
    answer = parse(text)
    assert isinstance(answer, Calls)
    assert answer.calls == (F, G)
    assert answer.tolerated


FAILURES = [
    ('<tool_call>\n{"name": "f", "arguments": {"a": 1}}', "cut off"),
    ('<tool_call>\n{"name": "f", "arguments": {"a": 1', "cut off"),
    ('<tool_call>\n{"name": "f", "argum', "cut off"),
    ("<tool_call>", "cut off"),
    ('<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_c', "cut off"),
    ('{"name": "f", "arguments": {"a": 1}', "cut off"),
    ('{"name": "f", "argum', "cut off"),
    ('[{"name": "f", "arguments": {"a": 1}}', "cut off"),
    ('{"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]', "cut off"),
    ('[TOOL_CALLS] [{"name": "f"', "cut off"),
    ("[TOOL_CALLS]f", "after [TOOL_CALLS]"),
    ('<|python_tag|>{"name": "f", "parameters"', "cut off"),
    ("""<functioncall> {"name": "f", "arguments": '{"a": 1}""", "cut off"),
    ("<TOOLCALL>[", "cut off"),
    ("<tool_call>\n<function=f>\n<parameter=a>\n1", "cut off"),
    ("<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</function>", "cut off"),
    ('<function=f>{"a": 1}', "cut off"),
    ("✿FUNCTION✿: f\n", "cut off"),
    ('<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{"a": 1}', "cut off"),
    ("<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>1", "cut off"),
    ('<function_calls><invoke name="f"><parameter name="a">1', "cut off"),
    ('<function_calls><invoke name="f">', "cut off"),
    ('Action: f\nAction Input: {"a": 1', "cut off"),
    ("<start_function_call>call:f{a:<escape>x", "cut off"),
    ("<start_function_call>call:f{a:1}<end_func", "cut off"),
    ("<start_function_call>call:f{a:1,a:1}<end_function_call>", "given twice"),
    ('<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a": 1', "cut off"),
    ('{"name": "f", "arguments": {"a": 1, "a": 2}}', "given twice"),
    ('{"name": "f", "name": "g", "arguments": {}}', "given twice"),
    ('{"name": "f", "arguments": {}, "parameters": {}}', "second"),
    ("<tool_call><function=f><parameter=a>1</parameter><parameter=a>1</parameter></function></tool_call>", "given twice"),
    (
        "<tool_call>f<arg_key>a</arg_key><arg_value>1</arg_value><arg_key>a</arg_key><arg_value>1</arg_value></tool_call>",
        "given twice",
    ),
    ('<tool_call>{"name": "f", "arguments": [1]}</tool_call>', "no object"),
    ('<tool_call>{"name": "f", "arguments": true}</tool_call>', "no object"),
    ('<tool_call>{"name": "", "arguments": {}}</tool_call>', "without a tool's name"),
    ('<tool_call>{"name": 1, "arguments": {}}</tool_call>', "without a tool's name"),
    ('<tool_call>{"arguments": {}}</tool_call>', "without a tool's name"),
    ("<tool_call></tool_call>", "'{' expected"),
    ('{"name": "f", "arguments": {"a": 1e999}}', "too large"),
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("text", "reason"), FAILURES)
def test_what_cannot_be_read_is_a_failure_with_its_reason(text: str, reason: str, strict: bool) -> None:
    answer = parse(text, strict=strict)
    assert isinstance(answer, ParseFailure), answer
    assert reason in answer.reason
    assert 0 <= answer.position <= len(text)


UNSTORABLE = [
    '<tool_call>{"name": "f", "arguments": {"a": "x\\u0000"}}</tool_call>',
    "<tool_call><function=f><parameter=a>x\0</parameter></function></tool_call>",
    "<tool_call>f<arg_key>a</arg_key><arg_value>x\0</arg_value></tool_call>",
]


@pytest.mark.parametrize("text", UNSTORABLE)
def test_a_value_that_no_database_holds_is_refused_strictly_and_replaced_tolerantly(text: str) -> None:
    answer = parse(text)
    assert isinstance(answer, Calls)
    assert (answer.calls, answer.tolerated) == ((Call("f", {"a": "x\ufffd"}),), ("replaced character",))
    strictly = parse(text, strict=True)
    assert isinstance(strictly, ParseFailure)
    assert "NUL" in strictly.reason


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ada", "age": 36}',
        '{"answer": 42}',
        '[{"city": "Rome"}, {"city": "Pisa"}]',
        '{"tool_calls": []}',
        'The tool `{"name": "f", "description": "d", "parameters": {"type": "object"}}` is not what I need.',
        "A function call is made with a tag.",
        "[TOOL CALLS] are not made here.",
    ],
)
def test_json_and_words_that_call_nothing_are_text(text: str) -> None:
    assert parse(text) == Text(text)


def test_every_dialect_has_its_own_spelling_in_the_table() -> None:
    elsewhere = {"paper", "strings", "bfcl_fc"}  # tests/toolcalls/test_parsing.py and test_tolerance.py
    assert {dialect.name for dialect in DIALECTS} == {form for form, _, _ in OWN} | elsewhere


MARKS = ["", "x", "\n", '"', "}", "<", "{", "'", "</", "\\", "`"]
cuts = st.tuples(st.integers(0, 400), st.integers(0, 12), st.sampled_from(MARKS))


@given(row=st.sampled_from(OWN), spoilt=st.lists(cuts, min_size=1, max_size=4), strict=st.booleans())
def test_a_spoilt_spelling_is_data_and_never_an_exception(
    row: tuple[str, str, list[Call]], spoilt: list[tuple[int, int, str]], strict: bool
) -> None:
    text = row[1]
    for at, length, mark in spoilt:
        start = at % (len(text) + 1)
        text = text[:start] + mark + text[start + length :]
    answer = parse(text, strict=strict)
    if isinstance(answer, ParseFailure):
        assert 0 <= answer.position <= len(text)
    elif isinstance(answer, Calls):  # what was read can be written, and reads back
        assert parse(render(answer.calls, "json")) == Calls(answer.calls, "json")


@pytest.mark.parametrize(("form", "text", "calls"), OWN)
def test_a_text_that_ends_early_is_never_read_as_other_calls(form: str, text: str, calls: list[Call]) -> None:
    """At each length: nothing that looks like a call, a failure, or calls that the whole text begins with."""
    for end in range(len(text)):
        answer = parse(text[:end])
        if isinstance(answer, Calls):
            assert answer.calls == tuple(calls)[: len(answer.calls)], text[:end]
