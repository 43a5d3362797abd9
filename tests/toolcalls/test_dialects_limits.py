"""Limits and growth, of every dialect alike."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from toolcalls.answers import Call, Calls, ParseFailure
from toolcalls.dialects import DIALECTS, named
from toolcalls.limits import Limits
from toolcalls.parsing import parse

FORMS = [dialect.name for dialect in DIALECTS]


def written(form: str, *calls: Call) -> str:
    """Calls as the dialect writes them, whatever `render` says of their limits."""
    return named(form).render(calls)


def reason(text: str, **limits: int) -> str:
    answer = parse(text, limits=Limits(**limits))
    assert isinstance(answer, ParseFailure), answer
    return answer.reason


@pytest.mark.parametrize("form", FORMS)
def test_each_limit_is_kept_by_every_dialect(form: str) -> None:
    two = written(form, Call("f", {"a": 1}), Call("g", {"a": 2}))
    assert isinstance(parse(two, limits=Limits(calls=2)), Calls)
    assert reason(two, calls=1) == "more than 1 calls"
    assert reason(two, length=len(two) - 1) == f"longer than {len(two) - 1} characters"
    assert "name of more than 3 characters" in reason(written(form, Call("abcd", {"a": 1})), name=3)
    assert "name of more than 3 characters" in reason(written(form, Call("f", {"abcd": 1})), name=3)


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("qwen", "glm", "invoke")])
def test_a_value_beyond_the_limits_is_a_failure(form: str) -> None:
    assert "digits" in reason(written(form, Call("f", {"a": 12345})), digits=4)
    deep = parse(written(form, Call("f", {"a": [[[1]]]})), limits=Limits(depth=2), strict=True)
    assert isinstance(deep, ParseFailure)
    assert "deep" in deep.reason
    assert isinstance(parse(written(form, Call("f", {"a": [[1]]})), limits=Limits(depth=2)), Calls)


@pytest.mark.parametrize("form", ["qwen", "glm", "invoke"])
def test_a_value_beyond_the_limits_stays_a_text_where_values_stand_as_they_are(form: str) -> None:
    answer = parse(written(form, Call("f", {"a": 12345, "b": [[[1]]]})), limits=Limits(digits=4, depth=2))
    assert isinstance(answer, Calls)
    assert answer.calls == (Call("f", {"a": "12345", "b": "[[[1]]]"}),)


def cost(text: str) -> int:
    """CPU time of one reading in ns, the least of three."""
    spent = []
    for _ in range(3):
        start = time.process_time_ns()
        parse(text, limits=Limits(length=10**9, calls=10**9))
        spent.append(time.process_time_ns() - start)
    return max(min(spent), 20_000)


GROWING: dict[str, Callable[[str, int], str]] = {
    "calls": lambda form, n: written(form, *(Call("f", {"a": number}) for number in range(n))),
    "parameters": lambda form, n: written(form, Call("f", {f"a{number}": "x" for number in range(n)})),
    "a text": lambda form, n: written(form, Call("f", {"a": "<x> 'y' {z} \n" * n})),
    "a list": lambda form, n: written(form, Call("f", {"a": [1, "x"] * n})),
    "prose": lambda form, n: "So f(x) = [1], {2}. " * n + written(form, Call("f", {"a": 1})),
    "a cut": lambda form, n: written(form, *(Call("f", {"a": "x"}) for _ in range(n)))[:-9],
    "repeated openings": lambda form, n: written(form, Call("f", {"a": 1}))[:14] * n,
}


@pytest.mark.parametrize("growing", GROWING)
@pytest.mark.parametrize("form", FORMS)
def test_work_grows_linearly_with_the_length(form: str, growing: str) -> None:
    """Eight times the text may cost about eight times the work, never its square (64 times)."""
    make = GROWING[growing]
    assert cost(make(form, 8 * 60)) / cost(make(form, 60)) < 26
