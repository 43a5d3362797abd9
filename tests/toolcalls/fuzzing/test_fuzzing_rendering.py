"""Whatever calls a model makes, every dialect writes them so that they are read back, or says what it cannot carry."""

from __future__ import annotations

import random

import pytest

from tests.toolcalls.fuzzing.mutating import hostile_texts
from toolcalls.answers import Calls
from toolcalls.dialects import DIALECTS
from toolcalls.parsing import parse
from toolcalls.rendering import render

FORMS = [dialect.name for dialect in DIALECTS]


def fuzz(seed: int, count: int) -> None:
    dice = random.Random(seed)
    for number, text in enumerate(hostile_texts(seed, count)):
        if not isinstance(answer := parse(text), Calls):
            continue
        form = dice.choice(FORMS)
        where = f"seed {seed}, text {number}, form {form}: {text[:2000]!r}"
        try:
            written = render(answer.calls, form)
        except ValueError as error:
            assert form in str(error), where
            continue
        except Exception as error:
            raise AssertionError(where) from error
        expected = Calls(answer.calls, form)
        assert parse(written, strict=True) == expected, where
        assert parse(written) == expected, where


def test_calls_read_from_mutated_answers_are_written_in_every_dialect() -> None:
    fuzz(seed=100, count=6_000)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(101, 106))
def test_calls_read_from_a_hundred_thousand_answers_are_written_in_every_dialect(seed: int) -> None:
    fuzz(seed=seed, count=20_000)
