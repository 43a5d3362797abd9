from __future__ import annotations

import json
import random
import string
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call, Calls, ParseFailure, Text
from toolcalls.limits import DEEPEST
from toolcalls.parsing import Limits, parse
from toolcalls.rendering import render

CALLS = [
    ('[Market Trends API(trend_type="X")]', [Call("Market Trends API", {"trend_type": "X"})]),
    ("[User Feed (Video Posts) V2()]", [Call("User Feed (Video Posts) V2")]),
    ('[User Feed (Video Posts) V2(user="a"), f()]', [Call("User Feed (Video Posts) V2", {"user": "a"}), Call("f")]),
    ("[Top (a, b) (c (d)) List(n=1)]", [Call("Top (a, b) (c (d)) List", {"n": 1})]),
    ("[g h (v2)(c=[1, 2], d={})]", [Call("g h (v2)", {"c": [1, 2], "d": {}})]),
    ("[uber.ride(loc='2020 Addison'), get-time()]", [Call("uber.ride", {"loc": "2020 Addison"}), Call("get-time")]),
    ('[查询天气(城市="北京", 天数=3)]', [Call("查询天气", {"城市": "北京", "天数": 3})]),
    ("[What's New(a=1)]", [Call("What's New", {"a": 1})]),
    ("[f(page[size]=2, x-y=3, a.b=4, two words=5)]", [Call("f", {"page[size]": 2, "x-y": 3, "a.b": 4, "two words": 5})]),
    (" \n[\n f ( a = 1 ) ,\n g()\n]\n", [Call("f", {"a": 1}), Call("g")]),
    ('[f(a="x(b=1), [y]")]', [Call("f", {"a": "x(b=1), [y]"})]),
]


@pytest.mark.parametrize(("text", "calls"), CALLS)
def test_calls_are_read_with_the_names_that_data_sets_use(text: str, calls: list[Call]) -> None:
    assert parse(text, strict=True) == Calls(tuple(calls), "paper")
    assert parse(text) == Calls(tuple(calls), "paper")


LITERALS = [
    ("1", 1),
    ("-2", -2),
    ("+5", 5),
    ("1e5", 100000.0),
    ("-1.5E-3", -0.0015),
    (".5", 0.5),
    ("2.", 2.0),
    ("0", 0),
    ("0.0", 0.0),
    ("True", True),
    ("true", True),
    ("False", False),
    ("false", False),
    ("None", None),
    ("null", None),
    ('"a"', "a"),
    ("'a'", "a"),
    ("'it\\'s'", "it's"),
    ('"a\\nb"', "a\nb"),
    ('"\\u00e9"', "é"),
    ("'\\x41'", "A"),
    ('"\\ud83d\\ude00"', "😀"),
    ('"\\U0001F600"', "😀"),
    ('"\\d"', "\\d"),
    ('"a/b\\/c"', "a/b/c"),
    ('"😀 é"', "😀 é"),
    ('"two\nlines"', "two\nlines"),
    ("[]", []),
    ("[1, 'a', [True]]", [1, "a", [True]]),
    ("[1,]", [1]),
    ('["a, b",  "é"]', ["a, b", "é"]),
    ('["a", "b",]', ["a", "b"]),
    ('["a" , "\\n"]', ["a", "\n"]),
    ("{}", {}),
    ("{'a': {\"b\": [null]}}", {"a": {"b": [None]}}),
]


@pytest.mark.parametrize(("text", "value"), LITERALS)
def test_python_and_json_literals_are_read(text: str, value: object) -> None:
    answer = parse(f"[f(a={text}, b=1)]")
    assert isinstance(answer, Calls)
    read = answer.calls[0].arguments
    assert read == {"a": value, "b": 1}
    assert type(read["a"]) is type(value)


FAILURES = [
    ("[f(1)]", "before named arguments"),
    ('[f("x")]', "positional"),
    ("[f(1, 2)]", "before named arguments"),
    ("[f(a=1, 2)]", "positional"),
    ("[f(a=1, a=2)]", "given twice"),
    ("[f(a={'b': 1, 'b': 2})]", "given twice"),
    ("[f(a=1)] ok", "text after"),
    ("[f(a=1)][g()]", "text after"),
    ("Sure: [f(a=1)]", "stand alone"),
    ("f(a=1)", "outside of square brackets"),
    (" api.get-version() ", "outside of square brackets"),
    ("f(1)", "outside of square brackets"),
    ("[", "without arguments"),
    ("[f(a=1), g]", "before named arguments"),
    ("[f（a=1）]", "before named arguments"),
    ("```\n[f(a=1)]\n```", "stand alone"),
    ("[f(a=1", "expected"),
    ("[f(a=1)", "expected"),
    ("[f(a=", "no literal"),
    ('[f(a="x', "closing quote"),
    ("[f(a=1) g(b=2)]", "expected"),
    ("[(a=1)]", "without a tool's name"),
    ("[f, g(a=1)]", "before named arguments"),
    ("[f(a=celsius)]", "no literal"),
    ("[f(a=1+1)]", "expected"),
    ("[f(a=__import__('os'))]", "no literal"),
    ("[f(a='a'*9)]", "expected"),
    ("[f(a=007)]", "no literal"),
    ("[f(a=1_000)]", "no literal"),
    ("[f(a=0x1F)]", "no literal"),
    ("[f(a=1e999)]", "too large"),
    ("[f(a=NaN)]", "no literal"),
    ("[f(a=(1, 2))]", "no literal"),
    ("[f(a={1: 2})]", "string expected"),
    ("[f(a={1, 2})]", "string expected"),
    ("[f(a=[1,,2])]", "no literal"),
    ('[f(a="\\ud83d")]', "surrogate"),
    ('[f(a="\\u0000")]', "NUL"),
    ('[f(a="\\u12")]', "escape"),
    ("[f(a=1,)]", "trailing comma"),
    ("[f(a=1),]", "trailing comma"),
    ("['f'(a=1)]", "cannot be read"),
    ("<tool_call>\n{}\n</tool_call>", ""),
]


@pytest.mark.parametrize(("text", "reason"), FAILURES)
def test_what_is_not_calls_in_their_own_spelling_is_a_failure_with_its_place(text: str, reason: str) -> None:
    answer = parse(text, strict=True)
    assert isinstance(answer, ParseFailure), answer
    assert reason in answer.reason
    assert 0 <= answer.position <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "[]",
        " [ ] ",
        "Which city (of departure)?",
        "See [the page](http://a.b/c?d=1).",
        "[Note] I cannot.",
        "f (x) and [y]",
        "{}",
        "[f]",
        "[1, 2]",
    ],
)
def test_answers_without_a_call_like_span_are_text(text: str) -> None:
    assert parse(text) == Text(text)


def test_the_deepest_limit_is_within_every_stack() -> None:
    deepest = Limits(depth=DEEPEST)
    for opened, closed in ("[]", "()", ("{'k': ", "}")):
        for depth in (DEEPEST, DEEPEST + 1, 9_000):
            answer = parse(f"[f(a={opened * depth}1{closed * depth})]", limits=deepest)
            assert isinstance(answer, Calls) and ("nested too deep" in answer.tolerated) == (depth > DEEPEST)
    with pytest.raises(ValueError, match="depth"):
        Limits(depth=DEEPEST + 1)


def test_limits_are_checked_before_and_while_reading() -> None:
    def reason(text: str, limits: Limits) -> str:
        answer = parse(text, strict=True, limits=limits)
        assert isinstance(answer, ParseFailure)
        return answer.reason

    assert "longer than 10" in reason("[f(a=1, b=2)]", Limits(length=10))
    assert "digits" in reason("[f(a=12345)]", Limits(digits=4))
    assert "deep" in reason("[f(a=[[[1]]])]", Limits(depth=2))
    assert "more than 2 calls" in reason("[f(), f(), f()]", Limits(calls=2))
    assert "name" in reason("[abcdef()]", Limits(name=5))
    assert "name" in reason("[f(abcdef=1)]", Limits(name=5))
    assert isinstance(parse("[f(a=[[1]], b=[[1]])]", limits=Limits(depth=2)), Calls)


@pytest.mark.parametrize("opening", ["[", "{'a': ", "(", "f(a=[", '["'])
def test_endless_nesting_ends_as_data_and_never_as_an_exception(opening: str) -> None:
    assert not isinstance(parse("[f(a=" + opening * 20_000), Calls)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab \n\t\"'\\\\/[](){}=,é城😀\x7f\u2028", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abé\"'\\", max_size=3), inner, max_size=3),
    max_leaves=6,
)
words = st.text("abzéF城-._'0", min_size=1, max_size=6).filter(lambda word: word[0] != "'")
names = st.lists(words | words.map(lambda word: f"({word})"), min_size=1, max_size=3).map(" ".join)
parameters = st.text(string.ascii_letters + "é_.-[]", min_size=1, max_size=8)
calls = st.lists(st.builds(Call, names, st.dictionaries(parameters, json_values, max_size=3)), min_size=1, max_size=4)


@given(calls)
def test_rendered_calls_are_read_back_unchanged(written: list[Call]) -> None:
    answer = parse(render(written))
    assert answer == Calls(tuple(written), "paper")
    assert isinstance(answer, Calls)
    assert repr(answer.calls) == repr(tuple(written))  # 1 stays 1, 1.0 stays 1.0, True stays True


fragments = st.sampled_from(
    ["[", "]", "(", ")", "{", "}", "=", ",", ":", '"', "'", "\\", "f", "a", "1", " ", "-", "\n", "城", "True", "\\u", "\0", "."]
)


@given(st.lists(fragments, max_size=40).map("".join))
def test_garbage_is_data_and_never_an_exception(text: str) -> None:
    answer = parse(text)
    if isinstance(answer, Calls):
        assert parse(render(answer.calls)) == answer


LONG_TEXTS = [
    lambda n: "[" + ", ".join(f"f(a={i})" for i in range(n)) + "]",
    lambda n: "[f(" + ", ".join(f"a{i}='x'" for i in range(n)) + ")]",
    lambda n: "[f(a=[" + "1, " * n + "])]",
    lambda n: "[f(a={" + ", ".join(f"'{i}': 0" for i in range(n)) + "})]",
    lambda n: '[f(a="' + "\\n" * n + '")]',
    lambda n: "[f(a=" + "'" * n + ")]",
    lambda n: "[" + "x (" * n,
    lambda n: "[f(" + "a" * n,
    lambda n: "(" * n,
    lambda n: "(" + " " * n,
    lambda n: "(a" * n,
    lambda n: "[f " * n,
    lambda n: "[" * n + "(",
    lambda n: "(a " * n,
    lambda n: '"name": ' * n,
    lambda n: "[" + "x" * n,
    lambda n: "[f()" + " )" * n,
    lambda n: "f" * n + "(" + "x" * n,
    lambda n: "<tool_call>" * n,
    lambda n: "<TOOLCALL>:" * n,
    lambda n: "✿FUNCTION✿" * n,
    lambda n: "[TOOL_CALLS][" * n,
    lambda n: "<function=f>" * n,
    lambda n: '{"name": "f", "arguments": ' * n,
    lambda n: "<think>" * n,
    lambda n: "</think> " * n,
    lambda n: "f(a=1) or " * n,
    lambda n: "f(a=1)\n" * n,
    lambda n: "Get A Title " * n + "(a=1)",
    lambda n: "[f(a=" + "'[{'" * n,
    lambda n: "[f(a=" + "[1]+" * n,
    lambda n: "[f(a=" + "lambda " * n,
    lambda n: "[f " + "a " * n,
    lambda n: "f(a=1)\n" + "for a in " * n,
    lambda n: '"' + " " * n + ";[f(a=1)]",
    lambda n: "f(a=1) " + "word " * n,
    lambda n: "word " * n + "f(a=1)",
    lambda n: "f(a=1)\n" + "x" * n,
    lambda n: "[f(a=" + "[" * 30 + "x=1]:" * n,
    lambda n: "[f(a='" + "it's " * n,
    lambda n: "[f(" + "1, " * n,
    lambda n: "[f(" + "g(" * n,
    lambda n: "`` <s> . " * n,
    lambda n: "[f(a=1),\n# c\n" * n,
]


@pytest.mark.parametrize("make", LONG_TEXTS)
def test_work_grows_linearly_with_the_length(make: Callable[[int], str]) -> None:
    """Eight times the text may cost about eight times the work, never its square (64 times)."""
    wide = Limits(length=10**9, calls=10**9, name=10**9)

    def cost(text: str) -> float:
        spent = []
        for _ in range(3):
            start = time.process_time_ns()
            parse(text, limits=wide)
            spent.append(time.process_time_ns() - start)
        return max(min(spent), 20_000)

    assert cost(make(8 * 400)) / cost(make(400)) < 26


def test_texts_of_the_golden_files_never_raise(data_dir: Path) -> None:
    lines = (data_dir / "golden" / "bfcl_perturbed.jsonl").read_text().splitlines()
    for line in random.Random(0).sample(lines, 500):
        text = json.loads(line)["output_text"]
        answer = parse(text)
        if isinstance(answer, Calls):
            assert parse(render(answer.calls)) == Calls(answer.calls, "paper")


def test_names_of_many_words_keep_to_the_limit_of_a_name() -> None:
    longest = " ".join(["word"] * 51)  # 254 characters
    for words in ("Market Trends API", "a b c d e f g h", longest):
        assert parse(f"[{words}(k=1)]", strict=True) == Calls((Call(words, {"k": 1}),), "paper")
    for words in (" ".join(["w" * 100] * 3), f"{longest} word"):
        for text in (f"[{words}(k=1)]", f"[f({words}=1)]"):
            assert isinstance(parse(text), ParseFailure)
