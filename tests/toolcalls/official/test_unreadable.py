"""What is said to be unreadable raises an error of Python's parser."""

from __future__ import annotations

import ast
import random
import warnings

import pytest

from tests.toolcalls.fuzzing.mutating import PIECES, hostile_texts
from tests.toolcalls.official.test_plain_calls import invented
from toolcalls.official.unreadable import unreadable

READABLE = (
    "x if y else z", "not x", "lambda x: 0", "[lambda: 0]", "(lambda: 0)", "[x for x in y]", "a is not b", "{a: 1, b: 2}",
    "a[1:2, 3:4]", "(a := 1)", "f(a) < b", "(a, b)", "'a' 'b'", "1 if x else 2", "b'x' in y", "f'{x[\"a\"]}'", "f(a='it''s')",
    "x  # it's (", "'''it's'''", "'it\\'s'", "é.ü(ß=1)", "f(x)\n\n", "match[type]", "_", "1or 2", "a<b", "x[a:b]", "f(**a, *b)",
    "()", "await x", "0xfor", "'#'",
)  # fmt: skip
UNREADABLE = (
    "I am sorry", "Sure: f (x y)", "[<tool_call>]", "[f(a=1)", "[f(a=1)]]", "f(a='x)", "it's", "[f(a: 1)]", "f(a=1); g()",
    "[a,, b]", "f(a=1，b=2)", "f（a=1）", "对不起，不能", "f(a=“x”)", "f(a=1)\0", "x\u3000y", "python\n[f(a=1)",
)  # fmt: skip


def is_read(source: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(source, mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return False
    return True


@pytest.mark.parametrize("source", READABLE)
def test_an_expression_of_python_is_not_unreadable(source: str) -> None:
    assert not unreadable(source)


@pytest.mark.parametrize("source", UNREADABLE)
def test_what_cannot_be_read_is_told(source: str) -> None:
    assert unreadable(source) and not is_read(source)


def test_what_is_told_of_hostile_texts_is_true() -> None:
    told = [text for text in hostile_texts(2, 4_000) if unreadable(text)]
    assert len(told) > 500
    assert [text for text in told if is_read(text)] == []


def test_what_is_told_of_spliced_expressions_is_true() -> None:
    dice = random.Random(3)
    parts = (*READABLE, *UNREADABLE, *PIECES, "if", "else", "for", "in", " ", "\n", "=", ":", ",", "(", ")", "[", "]")
    texts = ["".join(dice.choices(parts, k=dice.randrange(1, 5))) for _ in range(10_000)] + [invented(dice) for _ in range(5_000)]
    assert [text for text in texts if unreadable(text) and is_read(text)] == []
