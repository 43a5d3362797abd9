"""docs/parsing.md says what the parser does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from toolcalls.answers import Call, Calls, ParseFailure
from toolcalls.dialects import DIALECTS
from toolcalls.limits import LIMITS
from toolcalls.parsing import parse
from toolcalls.rendering import render

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "parsing.md").read_text(encoding="utf-8")
BOOK = (Call("book", {"city": "Rome", "nights": 2}),)
FORMS = dict(re.findall(r"^### `(\w+)`\n.*?```text\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE))
ROW = re.compile(r"^\| `([^`]+)` \|(?:[^|\n]*\|)? (?:`([^`\n]+)`|`` (.+) ``) \|$", re.MULTILINE)


def rows(heading: str) -> dict[str, str]:
    """The first column of the table under a heading, and the example in its last."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return {word: (plain or ticked).replace("\\|", "|").replace("\\n", "\n") for word, plain, ticked in ROW.findall(section)}


TOLERATED = rows("What is looked past")
REASONS = rows("Why something cannot be read")


def test_every_form_is_shown_as_it_is_written() -> None:
    assert {dialect.name for dialect in DIALECTS} == set(FORMS)
    for form, text in FORMS.items():
        assert parse(text, strict=True) == Calls(BOOK, form), form
        assert render(BOOK, form) == text


@pytest.mark.parametrize(("word", "text"), TOLERATED.items())
def test_what_is_looked_past_is_said(word: str, text: str) -> None:
    answer = parse(text)
    assert isinstance(answer, Calls), answer
    assert word in answer.tolerated
    assert isinstance(parse(text, strict=True), ParseFailure)


def test_every_word_for_what_is_looked_past_is_listed() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "toolcalls").rglob("*.py")]
    said = {
        word
        for source in sources
        for call in re.findall(r"tolerate\(([^()]*)\)", source)
        for word in re.findall(r'"([^"]+)"', call)
    }
    assert said - {"parentheses", "tuple"} <= set(TOLERATED)
    assert len(TOLERATED) >= 45


@pytest.mark.parametrize(("reason", "text"), REASONS.items())
def test_reasons_are_those_that_are_given(reason: str, text: str) -> None:
    answer = parse(text)
    assert isinstance(answer, ParseFailure), answer
    assert answer.reason == reason


def test_the_limits_are_those_of_the_parser() -> None:
    numbers = [int(number.replace(",", "")) for number in re.findall(r"^\|[^|`]+\| ([\d,]+) \|$", PAGE, re.MULTILINE)]
    assert numbers == [LIMITS.length, LIMITS.depth, LIMITS.digits, LIMITS.calls, LIMITS.name]


def test_the_example_runs() -> None:
    found = re.search(r"```python\n(.*?)```\n\n\*", PAGE, re.DOTALL)
    assert found is not None
    exec(compile(found[1], "docs/parsing.md", "exec"), {})
