"""A tolerant reading of the golden texts, beside the official decoder's."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.tolerance import LOST, Reading, differing_values, missed, readings, tables
from toolcalls.answers import Calls

PAGE = (Path(__file__).parents[2] / "docs" / "tolerance.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def golden(data_dir: Path) -> list[Reading]:
    return list(readings(data_dir))


def test_a_tolerant_reading_has_every_call_that_the_official_decoder_reads(golden: list[Reading]) -> None:
    assert [(each.text, each.answer) for each in missed(golden)] == []
    assert sum(bool(each.official) for each in golden) > 10_000


def test_a_name_in_quotes_is_read_where_the_official_decoder_loses_it(golden: list[Reading]) -> None:
    lost = [each for each in golden if LOST in [name for name, _ in each.official or []]]
    assert lost
    for each in lost:
        assert isinstance(each.answer, Calls)
        assert len(each.answer.calls) == len(each.official or [])
        assert "quoted name" in each.answer.tolerated


def test_every_value_that_differs_has_a_reason(golden: list[Reading]) -> None:
    assert "other" not in differing_values(golden)


def test_the_page_has_the_tables(golden: list[Reading]) -> None:
    written = tables(golden)
    count = written.split()[0]
    if count not in PAGE:
        pytest.skip("the page tells of other data")
    assert written in PAGE
