"""Whatever a model writes, an official scorer gives a verdict: no exception, no evaluation, no endless work."""

from __future__ import annotations

import time

import pytest

from tests.toolcalls.fuzzing.outputs import Output, hostile_outputs
from toolcalls.official.scored import Scored

MOST_SECONDS = 0.25  # of the CPU for an output of at most 70,000 characters; Python's own parser is part of it


def scored(output: Output) -> None:
    result = output.score(output.text)
    assert isinstance(result, Scored)
    assert result.valid in (True, False, None)
    assert not (result.valid and result.error_type)


def seconds(output: Output) -> float:
    began = time.thread_time()
    scored(output)
    return time.thread_time() - began


def fuzz(seed: int, count: int) -> None:
    for number, output in enumerate(hostile_outputs(seed, count)):
        where = f"seed {seed}, output {number}: {output.text[:2000]!r} of {output.score}"
        try:
            taken = seconds(output)
        except Exception as error:
            raise AssertionError(where) from error
        assert taken < MOST_SECONDS or min(seconds(output) for _ in range(3)) < MOST_SECONDS, where


def test_mutated_outputs_are_scored_without_failure() -> None:
    fuzz(seed=0, count=3_000)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_hundred_thousand_mutated_outputs_are_scored_without_failure(seed: int) -> None:
    fuzz(seed=seed, count=20_000)
