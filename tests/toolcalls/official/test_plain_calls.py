"""What is read without Python's parser is what its tree is resolved to."""

from __future__ import annotations

import ast
import random
import warnings
from typing import Any

import pytest

from tests.toolcalls.fuzzing.mutating import PIECES, hostile_texts
from toolcalls.official.bfcl.decoding import bracketed
from toolcalls.official.plain_calls import LONGEST, NoCall, NotPlain, plain_calls
from toolcalls.official.python_calls import Resolver, Undecodable, parsed

NAMES = ("f", "a.b", "get", "in", "_", "True", "lambda", "f1", "print")
VALUES = (
    "1", "-5", "0", "-0", "01", "0x1F", "1.5", "-0.0", "1e3", "1e999", "1.", "9" * 18, "9" * 19, "'x'", '"it\'s"', "'\\''",
    "'a\\n\\u00e9\\x41'", "'\\d'", "'a' 'b'", "r'x'", "''", "''''''", "'é'", "'\ud800'", "km", "True", "None", "not", "...",
    "f()", "a.b()", "f(1)", "f(a=1)", "(f(a=1))", "[]", "()", "{}", "[1, 'x',]", "(1)", "(1,)", "(1, 2)", "{'k': [1]}",
    "{1: 2, True: 3}", "{1}", "{[]: 1}", "[1:2]", "{**x}", "*x", "x if y else z", "+5", "--1", "1 + 1", "a[0]",
    "a.b", "[" * 33 + "]" * 33,
)  # fmt: skip
MARKS = (", ", ",", ",\n ", "\t,", ")", "(", "=", "]", "[", "", " # so", ";", "\r\n", "\f")


def resolved(source: str) -> Any:
    """What Python's parser and the resolver make of it; None where it does not decode."""
    try:
        body = parsed(source)
        if not isinstance(body, ast.Call | ast.List | ast.Tuple | ast.Set):
            return None
        resolver = Resolver(bare_calls_as_source=True)
        return [resolver.call(each) for each in ([body] if isinstance(body, ast.Call) else body.elts)]
    except Undecodable:
        return None


def plainly(source: str) -> Any:
    """What is read without it; `...` where that is left to it."""
    try:
        return plain_calls(source)
    except NoCall:
        return None
    except NotPlain:
        return ...


def invented(dice: random.Random) -> str:
    """Calls of values of every kind, with a slip now and then."""
    calls = []
    for _ in range(dice.choice((0, 1, 1, 2))):
        names = (dice.choice(NAMES[:3] if dice.random() < 0.9 else NAMES) for _ in range(dice.randrange(4)))
        arguments = [f"{name}{dice.choice(('=', '=', ' = '))}{dice.choice(VALUES)}" for name in names]
        calls.append(f"{dice.choice(NAMES[:3])}({dice.choice(MARKS[:4]).join(arguments)}{dice.choice(('', '', '', ','))})")
    text = f"[{dice.choice(MARKS[:4]).join(calls)}]"
    for _ in range(dice.choice((0, 0, 1, 2))):
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice((*MARKS, *VALUES, *PIECES)) + text[at:]
    return bracketed(text)


def read_alike(sources: list[str]) -> int:
    """How many of them are read without the parser; fails where one is read otherwise."""
    read = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for source in sources:
            if (found := plainly(source)) is not ...:
                read += 1
                assert repr(found) == repr(resolved(source)), source
    return read


def test_invented_calls_are_read_as_python_reads_them() -> None:
    dice = random.Random(1)
    assert read_alike([invented(dice) for _ in range(10_000)]) > 2_000


def test_hostile_texts_are_read_as_python_reads_them() -> None:
    assert read_alike([bracketed(text) for text in hostile_texts(1, 2_000)]) > 200


@pytest.mark.parametrize("value", VALUES)
def test_every_value_is_read_as_python_reads_it(value: str) -> None:
    forms = ("[f(a={})]", "[f(a=[{}, {}], b={{'k': {}}})]", "[{}]", "[f(a=1), {}]", "[f({})]")
    read_alike([form.format(value, value, value) for form in forms])


@pytest.mark.parametrize(
    "source",
    [
        "[f(a=1, b='x', c=[1, {'k': (2.5, None)}], d=km), a.b()]",
        "[\n f( a = 1 ,\r\n b = 2 , ) , ]",
        "[f(a=g(), b=g(c='d'))]  # as asked]",
        "[]",
        '["f(a=1)"]',
        "[{'f': {'a': 1}}, f(a=1)]",
    ],
)
def test_what_is_read_plainly(source: str) -> None:
    assert plainly(source) is not ...
    assert repr(plainly(source)) == repr(resolved(source))


@pytest.mark.parametrize("source", ["[f(a=1)", "[f(a=1 b=2)]", "['x'].f(a=1) # ]", "[(f(a=1))]", f"[f(a='{'x' * LONGEST}')]"])
def test_what_is_left_to_the_parser(source: str) -> None:
    assert plainly(source) is ...
