"""Whatever a model writes: read, compared, written and checked without an exception, in time that grows with its length."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.toolcalls.fuzzing.mutating import CALLS, PIECES, hostile_texts
from toolcalls.answers import Answer, Calls, ParseFailure, Text
from toolcalls.canonical import answer_key
from toolcalls.comparing import Comparator
from toolcalls.differing import align, summary
from toolcalls.parsing import LIMITS, parse
from toolcalls.rendering import render
from toolcalls.schema import check_calls

IN_CI, LONG = 20_000, 1_000_000
MOST_SECONDS, PER_CHARACTERS = 0.05, 100_000  # of the CPU; shorter texts may take as much as the shortest quarter of that
MOST_GROWTH = 64 * 2**10  # KiB of memory that the whole may come to hold beyond what its first part did
TOOLS: list[dict[str, Any]] = [
    {
        "name": "f",
        "parameters": {
            "type": "dict",
            "required": ["a"],
            "properties": {"a": {"type": "List[int]"}, "b": {"type": "str, optional", "default": "x"}},
        },
    },
    {"name": "天气.查询", "parameters": {"城市": {"type": "string", "enum": ["北京"]}, "days": {"type": "float"}}},
]
COMPARATOR = Comparator()
THOROUGHLY = replace(LIMITS)  # equal to LIMITS and not the same: no fast road is taken


def tried(text: str) -> None:
    """All that Whetstone does with an answer."""
    strict, answer = parse(text, strict=True), parse(text)
    assert alike(answer, parse(text, limits=THOROUGHLY))
    assert alike(strict, parse(text, strict=True, limits=THOROUGHLY))
    assert isinstance(answer, Calls | Text | ParseFailure)
    answer_key(answer, text)
    if isinstance(strict, Calls):
        assert strict == answer and not strict.tolerated  # a tolerant reading says the same of what is well written
    if isinstance(answer, ParseFailure):
        assert 0 <= answer.position <= len(text)
        assert answer.reason
    if isinstance(answer, Calls):
        assert answer.calls
        of_calls(answer)


def alike(fast: Answer, thorough: Answer) -> bool:
    """Whether the fast roads and the thorough one say the same; of what cannot be read they may name another mark."""
    return repr(fast) == repr(thorough) or (isinstance(fast, ParseFailure) and isinstance(thorough, ParseFailure))


def of_calls(answer: Calls) -> None:
    compared = COMPARATOR.compare(answer.calls, answer.calls, TOOLS)
    assert compared.max_param_diff == 0
    COMPARATOR.compare(CALLS, answer.calls, TOOLS)
    summary(align(CALLS, answer.calls, TOOLS))
    check_calls(answer.calls, TOOLS)
    try:
        written = render(answer.calls)
    except ValueError:
        return  # a name or a value that the paper's form cannot carry
    assert parse(written, strict=True) == Calls(answer.calls, "paper")


def seconds(work: Callable[[str], Any], text: str) -> float:
    began = time.thread_time()
    work(text)
    return time.thread_time() - began


def allowed(text: str) -> float:
    return MOST_SECONDS * max(0.25, len(text) / PER_CHARACTERS)


def in_time(text: str) -> bool:
    """By the CPU time of reading it, the best of a few: the machine may be busy."""
    return any(seconds(parse, text) <= allowed(text) for _ in range(5))


def fuzz(seed: int, count: int) -> None:
    peak = 0
    for number, text in enumerate(hostile_texts(seed, count)):
        began = time.thread_time()
        try:
            tried(text)
        except Exception as error:
            raise AssertionError(f"seed {seed}, text {number}: {text[:2000]!r}") from error
        if time.thread_time() - began > allowed(text):
            assert in_time(text), f"seed {seed}, text {number} of {len(text)} characters takes too long: {text[:2000]!r}"
        if number == count // 4:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < MOST_GROWTH


def test_mutated_answers_are_read_without_failure() -> None:
    fuzz(seed=0, count=IN_CI)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 11))
def test_a_million_mutated_answers_are_read_without_failure(seed: int) -> None:
    fuzz(seed=seed, count=LONG // 10)


peppered = st.lists(st.one_of(st.text(max_size=12), st.sampled_from(PIECES)), max_size=40).map("".join)


@given(peppered)
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_is_read_without_failure(text: str) -> None:
    tried(text)


@pytest.mark.long
@given(peppered)
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_is_read_without_failure_at_length(text: str) -> None:
    tried(text)
