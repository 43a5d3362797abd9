"""What a tolerant reading looks past, and what it does not."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call, Calls, ParseFailure, Text
from toolcalls.parsing import parse

F, G = Call("f", {"a": 1}), Call("g", {"b": 2})

AROUND = [
    ("Sure: [f(a=1)]", ["prose"]),
    ("[f(a=1)]\n\nAnything else?", ["prose"]),
    ("[f(a=1)].", ["stray mark"]),
    ("[f(a=1)]]", ["stray mark"]),
    ("```\n[f(a=1)]\n```", ["fence"]),
    ("```python\n[f(a=1)]\n```", ["fence"]),
    ("```json\n[f(a=1)]", ["fence"]),
    ("`[f(a=1)]`", ["fence"]),
    ("[f(a=1)]<|eot_id|>", ["special token"]),
    ("<|start_header_id|>assistant<|end_header_id|>\n\n[f(a=1)]", ["special token"]),
    ("<|im_start|>assistant\n[f(a=1)]<|im_end|>", ["special token"]),
    ("[f(a=1)]\n<end_of_turn>", ["special token"]),
    ("<s>[f(a=1)]</s>", ["special token"]),
    ("\ufeff[f(a=1)]", ["special token"]),
    ("<|python_tag|>[f(a=1)]", ["special token"]),
    ("<think>I call g(b=2).</think>\n[f(a=1)]", ["thinking"]),
    ("<think></think>[f(a=1)]", ["thinking"]),
    ("<scratch_pad>\nGoal: g(b=2)\n</scratch_pad>\n[f(a=1)]", ["thinking"]),
    ("I call g(b=2).\n</think>\n\n[f(a=1)]", ["thinking"]),
    ("<think>I call f.\n[f(a=1)]", ["thinking"]),
    ("<reasoning>no</reasoning>Now: [f(a=1)]", ["thinking", "prose"]),
    ("result = [f(a=1)]", ["prose"]),
]


@pytest.mark.parametrize(("text", "tolerated"), AROUND)
def test_what_stands_around_calls_is_looked_past_and_said(text: str, tolerated: list[str]) -> None:
    answer = parse(text)
    assert isinstance(answer, Calls), answer
    assert (answer.calls, answer.form) == ((F,), "paper")
    assert set(answer.tolerated) == set(tolerated)
    assert isinstance(parse(text, strict=True), ParseFailure)


LISTS = [
    ("f(a=1)", [F], ["no brackets"]),
    ("f (a=1)", [F], ["no brackets"]),
    ("f(a=1)\ng(b=2)", [F, G], ["no brackets"]),
    ("f(a=1), g(b=2)", [F, G], ["no brackets"]),
    ("f(a=1); g(b=2)", [F, G], ["no brackets"]),
    ("1. f(a=1)\n2. g(b=2)", [F, G], ["prose", "no brackets"]),
    ("- f(a=1)\n- g(b=2)", [F, G], ["stray mark", "no brackets"]),
    ("f(a=1)]", [F], ["no brackets", "missing bracket"]),
    ("(f(a=1))", [F], ["stray mark", "no brackets"]),
    ("api.now()", [Call("api.now")], ["no brackets"]),
    ("`api.now()`", [Call("api.now")], ["fence", "no brackets"]),
    ("[f(a=1)`", [F], ["missing bracket", "fence"]),
    ("(api.now())", [Call("api.now")], ["stray mark", "no brackets"]),
    ("Market Trends API(a=1)", [Call("Market Trends API", {"a": 1})], ["no brackets"]),
    ("User Feed (Video Posts) V2(a=1)", [Call("User Feed (Video Posts) V2", {"a": 1})], ["no brackets"]),
    ("Sure, here it is: f(a=1)", [F], ["prose", "no brackets"]),
    ("x = await f(a=1)", [F], ["prose", "no brackets"]),
    ("I call:\n```\nf(a=1)\n```\nThat is all.", [F], ["prose", "fence", "no brackets"]),
    ("(f (a=1))", [F], ["stray mark", "no brackets"]),
    ("f (a=1), g (b=2)", [F, G], ["no brackets"]),
    ("f(a=1); g (b=2)", [F, G], ["no brackets"]),
    ("[f(a=1)], g (b=2)", [F, G], ["no brackets"]),
    ("f(a=1), Get B (b=2)", [F, Call("Get B", {"b": 2})], ["no brackets"]),
    ("[f(a=1)", [F], ["missing bracket"]),
    ("[f(a=1),", [F], ["trailing comma", "missing bracket"]),
    ("```\n[f(a=1)\n```", [F], ["fence", "missing bracket"]),
    ("[f(a=1)\nI called f.", [F], ["missing bracket", "prose"]),
    ("[f(a=1),]", [F], ["trailing comma"]),
    ("[f(a=1,)]", [F], ["trailing comma"]),
    ("[f(a=1, )]", [F], ["trailing comma"]),
    ("[[f(a=1)]]", [F], ["extra bracket"]),
    ("[f(a=1))]", [F], ["extra bracket"]),
    ("[f(a: 1)]", [F], ["colon"]),
    ("[[f(a=1)], [g(b=2)]]", [F, G], ["extra bracket"]),
    ("[f(a=1)]\n[g(b=2)]", [F, G], ["several lists"]),
    ("[f(a=1)], [g(b=2)]", [F, G], ["several lists"]),
    ("[f(a=1)\n g(b=2)]", [F, G], ["missing comma"]),
    ("[f(a=1), # the first\n g(b=2)]", [F, G], ["comment"]),
    ("[f(a=1)]  # call it", [F], ["stray mark", "prose"]),
    ("['f'(a=1)]", [F], ["quoted name"]),
    ("[`f`(a=1)]", [F], ["markdown"]),
    ("[**f**(a=1)]", [F], ["markdown"]),
    ("[f(\u200ba=1)]", [F], ["stray mark"]),
    ("[f(**b)]", [Call("f", {"0": "**b"})], ["positional argument", "expression"]),
    ("['f(a=1)', 'g(b=2)',]", [F, G], ["trailing comma"]),
    ('"f(a=1)"', [F], ["quoted answer"]),
    ("'[f(a=1), g(b=2)]'", [F, G], ["quoted answer"]),
    ("'f(a='x')'", [Call("f", {"a": "x"})], ["quoted answer"]),
    ('"f(a=\\"x\\")"', [Call("f", {"a": "x"})], ["quoted answer"]),
    ("[f(a=1, a=1)]", [F], ["parameter given twice"]),
    ("[f(**{'a': 1})]", [F], ["unpacked object"]),
    ("[f(1)]", [Call("f", {"0": 1})], ["positional argument"]),
    ("f(1, b=2)", [Call("f", {"0": 1, "b": 2})], ["no brackets", "positional argument"]),
    ("print(f(a=1))", [Call("print", {"0": "f(a=1)"})], ["no brackets", "positional argument", "expression"]),
    ("[f({'a': 1})]", [Call("f", {"0": {"a": 1}})], ["positional argument"]),
    ("[{'f': {'a': 1}}]", [F], ["python dict", "arguments as an object"]),
]


@pytest.mark.parametrize(("text", "calls", "tolerated"), LISTS)
def test_lists_and_calls_that_lack_something_are_read(text: str, calls: list[Call], tolerated: list[str]) -> None:
    answer = parse(text)
    assert isinstance(answer, Calls), answer
    assert answer.calls == tuple(calls)
    assert set(answer.tolerated) == set(tolerated)
    assert isinstance(parse(text, strict=True), ParseFailure)


VALUES: list[tuple[str, Any, str]] = [
    ("celsius", "celsius", "unquoted text"),
    ("New York", "New York", "expression"),
    ("2024-01-05", "2024-01-05", "expression"),
    ("data[0]", "data[0]", "expression"),
    ("g(b=2, c=[1])", "g(b=2, c=[1])", "expression"),
    ("__import__('os').system('id')", "__import__('os').system('id')", "expression"),
    ("9**9**9", "9**9**9", "expression"),
    ("'A'*10**10", "'A'*10**10", "expression"),
    ("'S' + 'an'", "'S' + 'an'", "expression"),
    ("not False", "not False", "expression"),
    ("1e999", sys.float_info.max, "number too large"),
    ("- 1", -1, "python number"),
    ("1_000.5", 1000.5, "python number"),
    ("0b101", 5, "python number"),
    ("x == 1", "x == 1", "expression"),
    ("NaN", "NaN", "unquoted text"),
    ("...", "...", "expression"),
    ("{1: 2}", "{1: 2}", "expression"),
    ("{1, 2}", "{1, 2}", "expression"),
    ("[x, 1]", ["x", 1], "unquoted text"),
    ("(1, 2)", [1, 2], "tuple"),
    ("(1,)", [1], "tuple"),
    ("()", [], "tuple"),
    ("((2))", 2, "parentheses"),
    ("0x1F", 31, "python number"),
    ("1_000", 1000, "python number"),
    ("'a' 'b'", "ab", "joined strings"),
    ('"""a\nb"""', "a\nb", "triple quotes"),
    ("r'\\d'", "\\d", "string prefix"),
    ("u'a'", "a", "string prefix"),
    ("“a”", "a", "curly quotes"),
    ("'it's a dog's life'", "it's a dog's life", "unescaped quote"),
    ("lambda x: x**2", "lambda x: x**2", "expression"),
    ('"\\ud83d"', "\N{REPLACEMENT CHARACTER}", "replaced character"),
    ('"\\u0000"', "\N{REPLACEMENT CHARACTER}", "replaced character"),
    ("[" * 40 + "]" * 40, None, "nested too deep"),
    ("# why\n 5", 5, "comment"),
]


@pytest.mark.parametrize(("text", "value", "tolerated"), VALUES)
def test_a_value_that_is_no_literal_is_kept_and_never_evaluated(text: str, value: object, tolerated: str) -> None:
    answer = parse(f"[f(a={text}, b=1)]")
    assert isinstance(answer, Calls), answer
    read = answer.calls[0].arguments
    assert list(read) == ["a", "b"]
    assert value is None or read["a"] == value
    assert tolerated in answer.tolerated
    assert isinstance(parse(f"[f(a={text}, b=1)]", strict=True), ParseFailure)


FAILURES = [
    ("[", "cut off", 1),
    ("[f", "cut off", 2),
    ("[f(", "cut off", 3),
    ("[f(a=", "cut off", 5),
    ("[f(a=1", "cut off", 6),
    ("[f(a=1, b", "cut off", 8),
    ('[f(a="x', "cut off", 7),
    ("[f(a=[1, 2", "cut off", 10),
    ("[f(a=1), g(b=", "cut off", 13),
    ("f(a=1, b=", "cut off", 9),
    ('Sure: [f(a="x', "cut off", 13),
    ("f(a=1) and g(b=2)", "two places", 11),
    ("Use f(a=1). Then [g(b=2)].", "two places", 17),
    ('[f(a=1)] or {"name": "g", "arguments": {"b": 2}}', "two forms", 12),
    ("<think>I call f(a=1) then I wait", "thinking block that does not end", 14),
    ("[f(a=1, a=2)]", "given twice", 8),
    ("[f(a={'b': 1, 'b': 2})]", "given twice", 17),
    ("[f(a=)]", "no literal", 5),
    *((f"[f(a={number})]", "a malformed number", 5) for number in ("007", "--1", "1j", "12e", "1__0")),
    ("x.f(a=1).g(b=2)", "what another gives", 8),
    ("[f()()]", "expected", 4),
    ("[f(a=1 b=2)]", "no literal", 8),
    ("[f(a=1),,]", "before named arguments", 8),
    ("[f(a=1) g(b=2)]", "']' expected", 8),
    ("[f(a=[1)]", "expected", 7),
    ("[f(a=1), g]", "before named arguments", 10),
    ("[f(a=1), 'g']", "before named arguments", 12),
    ("[f(a=" + "1" * 65 + ")]", "digits", 5),
    ("[" * 40 + "f(a=1)", "nested too deep", 33),
]


@pytest.mark.parametrize(("text", "reason", "position"), FAILURES)
def test_what_cannot_be_read_is_a_failure_with_reason_and_place(text: str, reason: str, position: int) -> None:
    answer = parse(text)
    assert isinstance(answer, ParseFailure), answer
    assert reason in answer.reason
    assert answer.position == position
    assert parse("\n " + text) == ParseFailure(answer.reason, position + 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "None of the functions (they are three) helps.",
        "Which city (of departure)? Tell me (or type 'any').",
        "See [the page](http://a.b/c?d=1).",
        "The rate (r = 5 %) is high.",
        "def f(a=1):\n    return a",
        "<think>f(a=1)?</think>No function fits.",
        "I could call f(a=1).\n</think>\nNo function fits.",
        '{"answer": 42}',
        "a == b (c)",
        "[No function can be used (missing city)]",
        *("[1, 2]", '["a", "b"]', "[None]", "[TODO]", "[2023-01-01]", "[a=1]", "[...]", "[天气]", "[f]"),
        '<tool_response>{"name": "f", "arguments": {}}</tool_response>',
    ],
)
def test_words_stay_words(text: str) -> None:
    assert parse(text) == Text(text)


def test_marks_within_a_value_are_part_of_it() -> None:
    for value in ("<think>", "</think>", "```", "<tool_call>", "[TOOL_CALLS]", "<|eot_id|>", "g(b=2)", "# no"):
        for text in (f'[f(a="{value}")]', f"Sure: [f(a='{value}')]", f'f(a="{value}")'):
            answer = parse(text)
            assert isinstance(answer, Calls), (text, answer)
            assert answer.calls == (Call("f", {"a": value}),)


FRAGMENTS = [
    *("[](){}=,:\"'\\;#-`<\n 1\ud800\0“"),
    *("f", "a=", "[f(a=1)]", "g(b=2)", "True", "'x'", "```json\n", "<think>", "</think>", "<|eot_id|>", "Sure"),
    *('{"name": "f", "arguments": {"a": 1}}', "<tool_call>", "</tool_call>", '["f(a=1)"]'),
]
fragments = st.sampled_from(FRAGMENTS)


@given(st.lists(fragments, max_size=30).map("".join))
def test_nothing_tolerated_means_the_dialect_s_own_spelling_and_the_other_way_round(text: str) -> None:
    tolerant, strict = parse(text), parse(text, strict=True)
    if isinstance(strict, Calls):
        assert repr(tolerant) == repr(strict)
    if isinstance(tolerant, Calls) and not tolerant.tolerated:
        assert repr(tolerant) == repr(strict)
    if isinstance(strict, Text):
        assert tolerant == strict
