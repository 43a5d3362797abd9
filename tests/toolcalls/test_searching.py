"""Words: the same of a text and of a query for it, in every script."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call
from toolcalls.records import Message, Sample
from toolcalls.searching import LONGEST, MOST, query_words, sample_words, words


def sample(*said: str, **fields: object) -> Sample:
    values = {"id": "", "tools": (), "messages": tuple(Message("user", text) for text in said), "truth": None}
    return Sample(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Book a flight, please!", ["book", "a", "flight", "please"]),
        ("get_weather(city='New York')", ["get", "weather", "city", "new", "york"]),
        ("3.5 km", ["3", "5", "km"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("ﬁne Ｆｕｌｌ", ["fine", "full"]),
        ("Ёлка и Ελλάδα", ["ёлка", "и", "ελλάδα"]),
        ("天气预报", ["天气", "气预", "预报"]),
        ("查a天", ["查", "a", "天"]),
        ("東京タワーはどこ", ["東京", "京タ", "タワ", "ワー", "ーは", "はど", "どこ"]),
        ("x" * (LONGEST + 9), ["x" * LONGEST]),
        (" _-'\\:&|!()<>*\t\n ", []),
        ("", []),
    ],
)
def test_words_of_a_text(text: str, found: list[str]) -> None:
    assert list(words(text)) == found


@given(st.text())
def test_words_hold_no_space_no_mark_and_no_control(text: str) -> None:
    for word in words(text):
        assert 0 < len(word) <= LONGEST
        assert not any(mark.isspace() or unicodedata.category(mark) in ("Cc", "Po", "Ps", "Pe", "Sm") for mark in word)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_letters_need_no_folding_but_case(text: str) -> None:
    pieces = "".join(mark if mark.isalnum() else " " for mark in text.lower()).split()
    assert list(words(text)) == [piece[:LONGEST] for piece in pieces]


@given(st.lists(st.text("天气预报abc查 ", min_size=1), min_size=1))
def test_text_is_found_by_what_stands_in_it(texts: list[str]) -> None:
    of_sample = sample_words(sample(*texts))
    for text in texts:
        whole, beginning = query_words(text)
        assert of_sample.issuperset(whole)
        assert beginning is None or any(word.startswith(beginning) for word in of_sample)


def test_sample_is_found_by_its_id_what_was_said_and_the_calls_of_its_truth() -> None:
    truth = (Call("Get Flights", {"from_city": "Oslo", "legs": [{"day": 3}, "direct"], "refund": True, "price": 9.5}),)
    found = sample_words(sample("To Oslo", "and back", id="air-17", truth=truth, truth_text="[unused()]", other="May 2nd"))
    assert found == {"air", "17", "to", "oslo", "and", "back", "get", "flights", "3", "direct", "9", "5"}


def test_sample_that_calls_nothing_is_found_by_its_answer() -> None:
    assert sample_words(sample("Hi", truth_text="No tool fits.")) == {"hi", "no", "tool", "fits"}


def test_sample_keeps_the_first_words_when_there_are_too_many() -> None:
    numbers = list(range(MOST + 500))
    random.Random(0).shuffle(numbers)
    found = sample_words(sample(" ".join(f"w{number}" for number in numbers)))
    assert found == {f"w{number}" for number in numbers[:MOST]}


@pytest.mark.parametrize(
    ("query", "whole", "beginning"),
    [
        ("rome weat", ("rome",), "weat"),
        ("rome weather ", ("rome", "weather"), None),
        ("Rome rome ROME", (), "rome"),
        ("天气", ("天气",), None),
        ("天", (), "天"),
        ("rome 天气", ("rome", "天气"), None),
        ("'; drop --", (), "drop"),
        ("!?", (), None),
        ("", (), None),
    ],
)
def test_words_of_a_query(query: str, whole: tuple[str, ...], beginning: str | None) -> None:
    assert query_words(query) == (whole, beginning)
