"""Whatever stands in a row of a data set, it becomes samples or an error in words."""

from __future__ import annotations

import time

import pytest

from tests.toolcalls.fuzzing.rows import hostile_rows
from toolcalls.importing import category_of, read_samples, sample_hash
from toolcalls.records import Sample

MOST_SECONDS = 0.1  # of the CPU for a row of at most 8,000 characters, which may hold an answer of many calls


def imported(name: str, line: str) -> None:
    for found in read_samples(line, name):
        if isinstance(found, Sample):
            category_of(found)
            sample_hash(found)
        else:
            assert len(str(found)) > 10


def seconds(name: str, line: str) -> float:
    began = time.thread_time()
    imported(name, line)
    return time.thread_time() - began


def fuzz(seed: int, count: int) -> None:
    for number, (name, line) in enumerate(hostile_rows(seed, count)):
        where = f"seed {seed}, row {number} as {name}: {line[:3000]!r}"
        try:
            taken = seconds(name, line)
        except Exception as error:
            raise AssertionError(where) from error
        assert taken < MOST_SECONDS or min(seconds(name, line) for _ in range(3)) < MOST_SECONDS, where


def test_mutated_rows_are_imported_or_refused() -> None:
    fuzz(seed=0, count=3_000)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_hundred_thousand_mutated_rows_are_imported_or_refused(seed: int) -> None:
    fuzz(seed=seed, count=20_000)
