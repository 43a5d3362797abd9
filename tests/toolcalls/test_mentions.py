"""Calls that are only mentioned, and calls that must not vanish beside others."""

from __future__ import annotations

import pytest

from toolcalls.answers import Calls, ParseFailure
from toolcalls.parsing import parse


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("Don't call f(a=1)!", 11),
        ('I cannot. With a tool like send(to="x"), I could.', 27),
        ('For example: weather(city="Rome"). But which city?', 13),
        ("For example: f(a=1)", 13),
        ("The tool 'f(a=1)' is missing.", 10),
        ("I called f(a=1) and it gave 20", 9),
        ("Error: f(a=1) failed", 7),
        ("Use `f(a=1)` for that.", 5),
        ("P(X=1) is 0.5", 0),
        ("f(x=2) = 4", 0),
        ("X ~ N(mu=0, sigma=1)", 4),
        ("Smith (born=1970) was here", 0),
        ("First f(a=1)", 6),
        ("Call f(a=1) now.", 5),
        ("SELECT f(a=1)", 7),
        ("I could call f(a=1).\n</think>", 13),
    ],
)
def test_a_bare_call_with_words_on_its_line_is_neither_a_call_nor_text(text: str, position: int) -> None:
    assert parse(text) == ParseFailure("a call among words", position)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("f(a=1) g()", "calls at two places with words between"),
        ("f(a=1) and g('x')", "calls at two places with words between"),
        ("[f(a=1)] and g()", "calls at two places with words between"),
        ("[f(a=1)] and g (b=2)", "calls at two places with words between"),
        ("f(a=1). Then g().", "calls at two places with words between"),
        ("[f(a=1)]\n[g]", "a call without arguments in parentheses"),
        ('<tool_call>{"name": "f", "arguments": {}}</tool_call>\n{"name": "g", "arguments": {}}', "calls in two forms"),
        ('<tool_call>{"name": "f", "arguments": {}}</tool_call>[g(a=1)]', "calls in two forms"),
    ],
)
def test_a_call_beside_others_does_not_vanish(text: str, reason: str) -> None:
    answer = parse(text)
    assert isinstance(answer, ParseFailure), answer
    assert answer.reason == reason


@pytest.mark.parametrize(
    "text",
    [
        'df = pd.read("x.csv")\nprint(df.head())',
        '```python\ndf = pd.read("x.csv")\nprint(df.head())\n```',
        "import os\nprint(os.name)",
        "def f(self, a=1): return self.g(b=a)",
        "for city in cities:\n    f(a=1)",
        "while(true)",
    ],
)
def test_a_program_is_no_calls(text: str) -> None:
    answer = parse(text)
    assert isinstance(answer, ParseFailure), answer
    assert answer.reason == "code, not calls"


@pytest.mark.parametrize("value", ["?", "<number of nights>"])
def test_a_placeholder_is_no_value(value: str) -> None:
    assert parse(f"[f(a={value})]") == ParseFailure("a placeholder for a value", 5)


@pytest.mark.parametrize("text", ["[f(a=1)] (the rate is 5 %)", "[f(a=1)]\nIt calls the function (once).", "[f(a=1)]</think>"])
def test_other_words_beside_a_list_are_looked_past(text: str) -> None:
    assert isinstance(parse(text), Calls)
