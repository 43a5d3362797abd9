from __future__ import annotations

from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.prompts import REFINE_PROMPT
from toolcalls.records import Generation, Message, Sample
from toolcalls.refinement import is_identical, refine_messages, target_text, usable_first_answer
from toolcalls.selection import judge

SAMPLE = Sample("s", ({"name": "f"},), (Message("user", "Do f."),), (Call("f", {"a": 1, "b": 2}),))


def attempt(text: str, finish: Any = "stop") -> Generation:
    return Generation(0, 7, text, finish, 10, 5, "ab")


@pytest.mark.parametrize(
    ("text", "finish", "usable"),
    [
        ("[f()]", "stop", True),
        ("words", "stop", True),
        ("", "stop", False),
        (" ", "stop", False),
        ("[f()]", "length", False),
        ("", "too_long", False),
    ],
)
def test_a_first_answer_is_usable_when_finished_and_not_empty_hit_or_not(text: str, finish: str, usable: bool) -> None:
    assert usable_first_answer(attempt(text, finish)) is usable


def test_refine_messages_append_the_first_answer_untouched_and_the_refine_prompt() -> None:
    system = Message("system", "S")
    assert refine_messages((system, *SAMPLE.messages), " [f()] ") == (
        system,
        Message("user", "Do f."),
        Message("assistant", " [f()] "),
        Message("user", REFINE_PROMPT),
    )


@pytest.mark.parametrize(
    ("text", "exact", "by_text"),
    [("[f(a=1, b=2)]", True, True), ("[f(b=2, a=1.0)]", True, False), ("[f(a=1, b=3)]", False, False), ("no", False, False)],
)
def test_identity_is_told_as_calls_and_as_text(text: str, exact: bool, by_text: bool) -> None:
    judgement = judge(attempt(text), SAMPLE, Comparator())
    assert is_identical(judgement) is exact
    assert is_identical(judgement, by="text") is by_text


def test_target_is_the_truth_even_where_the_first_answer_says_the_same() -> None:
    first = attempt("[f(b=2, a=1)]")
    judgement = judge(first, SAMPLE, Comparator())
    assert target_text(SAMPLE) == "[f(a=1, b=2)]"
    assert target_text(SAMPLE, first, judgement) == "[f(a=1, b=2)]"
    assert target_text(SAMPLE, first, judgement, "first_answer") == "[f(b=2, a=1)]"


def test_an_approximate_first_answer_is_never_a_target() -> None:
    first = attempt("[f(a=1, b=3)]")
    assert target_text(SAMPLE, first, judge(first, SAMPLE, Comparator()), "first_answer") == "[f(a=1, b=2)]"
