from __future__ import annotations

import json

import pytest

from toolcalls.official.bfcl.decoding import decode_api, decode_python
from toolcalls.official.python_calls import Undecodable

ONE = [{"f": {"a": 1}}]


@pytest.mark.parametrize(
    "text",
    [
        "[f(a=1)]",
        "f(a=1)",
        "[f(a=1)",
        "f(a=1)]",
        "`f(a=1)`",
        "```\n[f(a=1)]\n```",
        "```\n[f(a=1)]",
        "[f(a=1),]",
        "[f(a=1)] # as asked",
        "[\r\n  f(\n    a = 1,\n  )\n]\n",
        "(f(a=1))",
        "[f(a=2, a=1)]",
        "[f(2, a=1)]",
    ],
)
def test_texts_that_decode_to_one_call(text: str) -> None:
    assert decode_python(text) == ONE


@pytest.mark.parametrize(
    "text",
    [
        "```python\n[f(a=1)]\n```",
        "```json\n[f(a=1)]\n```",
        "Sure: [f(a=1)]",
        "[f(a=1)] is the call",
        "[f(a=1)]<|eot_id|>",
        "[f(a=1)]<end_of_turn>",
        '[{"name": "f", "arguments": {"a": 1}}]',
        '<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>',
        '["f(a=1)"]',
        "f(a=1)\nf(a=2)",
        "f(a=1); f(a=2)",
        "[f(a=1)], [f(a=2)]",
        "[[f(a=1)]]",
        "\ufeff[f(a=1)]",
        "\t[f(a=1)]",
        "[f(a=1)]\r\n",
        "[f(a=1)\0]",
        "[f(a=\u201cx\u201d)]",
        "[f\uff08a=1\uff09]",
        "[f g(a=1)]",
        "[f]",
        "[await f(a=1)]",
        "[lambda: f(a=1)]",
        "[f(a=b.c)]",
        "[f(a={1, 2})]",
        "[f(a=f'{x}')]",
        "[f(a=not x)]",
        "[f(a=--1)]",
        "[f(a=x if y else z)]",
        "[f(a={[]: 1})]",
        "[f(a={**x})]",
        "[f(a=[*x])]",
        "[f(a=x + 1)]",
        f"[f(a={'9' * 4301})]",
        f"[f(a={'[' * 200}{']' * 200})]",
        f"[f(a='{'x' * 2**18}')]",
    ],
)
def test_texts_that_do_not_decode(text: str) -> None:
    with pytest.raises(Undecodable):
        decode_python(text)


@pytest.mark.parametrize("text", ["", "   \n ", "[]", "[", "]", "``````"])
def test_texts_that_decode_to_no_call(text: str) -> None:
    assert decode_python(text) == []


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("km", "km"),
        ("true", "true"),
        ("null", "null"),
        ("None", None),
        ("...", "..."),
        ("+5", -5),
        ("~5", -5),
        ("-5", -5),
        ("not True", -1),
        ("2 * 3", 6),
        ("'S' + 'an'", "San"),
        ("'a' 'b'", "ab"),
        ("(1, 'a')", (1, "a")),
        ("(1)", 1),
        ("0x10", 16),
        ("b'x'", b"x"),
        ("g()", "g()"),
        ("g(1)", "g(1)"),
        ("g(1, b=2)", {"g": {"b": 2}}),
        ("x.y[0]", "x.y[0]"),
        ("{'k': [1.5, {}]}", {"k": [1.5, {}]}),
    ],
)
def test_values_are_read_in_the_official_way(written: str, value: object) -> None:
    decoded = decode_python(f"[f(a={written})]")[0]["f"]["a"]
    assert (type(decoded), decoded) == (type(value), value)


def test_deep_values_are_read() -> None:
    written = "[" * 90 + "]" * 90
    assert json.dumps(decode_python(f"[f(a={written})]")[0]["f"]["a"]) == written


@pytest.mark.parametrize(
    ("text", "name"), [("a.b.c(x=1)", "a.b.c"), ("f(y=1)(x=1)", ""), ("g().h(x=1)", "h"), ("ﬁle(x=1)", "file")]
)
def test_names_are_read_in_the_official_way(text: str, name: str) -> None:
    assert decode_python(text) == [{name: {"x": 1}}]


def test_unpacked_arguments_have_no_name() -> None:
    assert decode_python("[f(**{'a': 1})]") == [{"f": {None: {"a": 1}}}]


@pytest.mark.parametrize(
    ("answer", "decoded"),
    [
        ([{"f": '{"a": 1}'}, {"g": "{}"}], [{"f": {"a": 1}}, {"g": {}}]),
        ([{"f": '{"a": 1}', "g": "unread"}], ONE),
        ([{"f": "5"}], [{"f": 5}]),
        ([], []),
    ],
)
def test_calls_of_an_api_decode(answer: object, decoded: object) -> None:
    assert decode_api(json.dumps(answer)) == decoded


def test_an_empty_answer_of_an_api_is_no_call() -> None:
    assert decode_api("") == []


@pytest.mark.parametrize(
    "text",
    [
        "I cannot.",
        " ",
        "{}",
        "5",
        '"f"',
        "[[]]",
        '["f"]',
        "[{}]",
        '[{"f": {"a": 1}}]',
        '[{"f": null}]',
        '[{"f": "{"}]',
        "[" * 9999,
    ],
)
def test_other_answers_of_an_api_do_not_decode(text: str) -> None:
    with pytest.raises(Undecodable):
        decode_api(text)
