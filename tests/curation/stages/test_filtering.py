"""The filter of verdicts, on a run that a hand worked off: what it finds, in which order, and how it is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from django.db import connection, transaction
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from curation.models import Iteration, Run, Sample, User, Verdict
from curation.models.verdicts import SEPARATOR
from curation.stages import filtering, review, running
from curation.stages.errors import InputError
from curation.stages.filtering import (
    NO_CALL,
    ORDERS,
    VerdictFilter,
    count_of,
    counted,
    facets_of,
    filter_from,
    filter_query,
    matching,
    neighbours,
    page_of,
)
from curation.stages.verdict_filter import read_value
from toolcalls.answers import Call

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def iteration(make_run: Callable[..., Run], make_dataset: Any, make_sample: Any, hand: Any) -> Iteration:
    """Iteration 1 over eight samples, waiting for review: sample-0 and -1 are hit once in two attempts, sample-7 calls nothing,
    sample-6 calls two tools, and the rest are answered with another tool."""
    two = (Call("get_weather", {"city": "Paris", "days": 1}), Call("get_time", {"city": "Paris"}))
    clock = {"name": "get_time", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    tools = (*make_sample().tools, clock)
    samples = [make_sample(number) for number in range(6)]
    samples += [make_sample(6, truth=two, tools=tools, category="multiple"), make_sample(7, truth=None, language="de")]
    samples += [make_sample(8, split="heldout"), make_sample(9, split="heldout", category="multiple")]
    run = make_run(make_dataset(samples), max_iterations=2, review="required")
    running.start_run(run)
    hand.work_off()
    return Iteration.objects.select_related("run__project__team").get(run=run, number=1)


def keys(verdicts: Any) -> set[int]:
    """The numbers of the samples."""
    return {int(verdict.sample.key.removeprefix("sample-")) for verdict in verdicts}


def found(iteration: Iteration, f: VerdictFilter) -> set[int]:
    """What a filter finds, after all ways to ask for it have agreed."""
    by_pages, after = [], ""
    while True:
        page = page_of(iteration, f, after=after, limit=3)
        by_pages += page.rows
        if page.next is None:
            break
        after = page.next
    assert len(by_pages) == len({verdict.pk for verdict in by_pages}) == count_of(iteration, f) == counted(iteration, f).total
    assert keys(by_pages) == keys(matching(iteration, f).select_related("sample"))
    return keys(by_pages)


FOUND: list[tuple[VerdictFilter, set[int]]] = [
    (VerdictFilter(0), {0, 1, 2, 3, 4, 5, 6, 7}),
    (VerdictFilter(1), {0, 1, 2, 3, 4, 5, 6}),
    (VerdictFilter(0, outcome=("exact",)), {0, 1}),
    (VerdictFilter(0, outcome=("exact", "excluded")), {0, 1, 7}),
    (VerdictFilter(0, hits=(1,)), {0, 1}),
    (VerdictFilter(0, hits=(0,), category=("multiple",)), {6}),
    (VerdictFilter(0, language=("de",)), {7}),
    (VerdictFilter(0, calls=(NO_CALL,)), {7}),
    (VerdictFilter(0, calls=(NO_CALL, 2)), {6, 7}),
    (VerdictFilter(0, tool=("get_time",)), {6}),
    (VerdictFilter(0, tool=("get_time", "get_weather")), {0, 1, 2, 3, 4, 5, 6}),
    (VerdictFilter(0, tool=("nothing",)), set()),
    (VerdictFilter(0, decision=("none",)), {0, 1, 2, 3, 4, 5, 6, 7}),
    (VerdictFilter(1, change=("large",)), {0, 1, 2, 3, 4, 5, 6}),
    (VerdictFilter(1, change=("stop",)), set()),
    (VerdictFilter(0, q="oslo"), {1}),
    (VerdictFilter(0, q="OSL"), {1}),
    (VerdictFilter(0, q="osl "), set()),
    (VerdictFilter(0, q="weather paris"), {6}),
    (VerdictFilter(0, q="get_time"), {6}),
    (VerdictFilter(0, q="weather", outcome=("exact",)), {0, 1}),
    (VerdictFilter(0, q="nowhere"), set()),
    (VerdictFilter(0, q="?!"), set()),
    (VerdictFilter(0, q="a' & 'b | \\"), set()),
]


def test_a_filter_finds(iteration: Iteration) -> None:
    assert [found(iteration, f) for f, _ in FOUND] == [expected for _, expected in FOUND]


def test_much_and_little_found_are_the_same(iteration: Iteration, monkeypatch: pytest.MonkeyPatch) -> None:
    filters = [f for f, _ in FOUND if f.q or f.tool]
    looked_up = [found(iteration, f) for f in filters]
    monkeypatch.setattr(filtering, "FEW", 0)
    assert [found(iteration, f) for f in filters] == looked_up


def test_pages_and_neighbours_follow_the_order(iteration: Iteration) -> None:
    for order in ORDERS:
        _check_order(iteration, order)


def _check_order(iteration: Iteration, order: str) -> None:
    f = VerdictFilter(0, order=order)
    rows = page_of(iteration, f).rows
    column = {"id": "pk", "hits": "approximate_hits"}.get(order.lstrip("-"), "other_count")
    places = [(getattr(row, column), row.pk) for row in rows]
    assert places == sorted(places, reverse=order.startswith("-"))
    assert len(rows) == 8
    pages = [page_of(iteration, f, limit=3).rows]
    for _ in range(2):
        last = page_of(iteration, f, limit=len([row for page in pages for row in page]))
        pages.append(page_of(iteration, f, after=last.next or "", limit=3).rows)
    assert [row.pk for page in pages for row in page] == [row.pk for row in rows]
    samples = [None, *(row.sample_id for row in rows), None]
    around = list(zip(samples, samples[2:], strict=False))
    assert [neighbours(iteration, f, row) for row in rows] == around


def test_another_data_sets_samples_are_never_found(
    iteration: Iteration, make_run: Any, make_dataset: Any, hand: Any
) -> None:  # fmt: skip
    other = make_run(make_dataset(name="other", train=8, heldout=2), max_iterations=1)
    running.start_run(other)
    hand.work_off()
    assert found(iteration, VerdictFilter(0, q="weather")) == {0, 1, 2, 3, 4, 5, 6, 7}


def test_facets_are_counted_under_the_other_filters(iteration: Iteration) -> None:
    f = VerdictFilter(0, outcome=("exact",), category=("simple",))
    told = {facet.name: {value.value: value.count for value in facet.values} for facet in facets_of(iteration, f)}
    assert told["outcome"] == {"exact": 2, "wrong_tool": 4}
    assert told["category"] == {"simple": 2}
    assert told["hits"] == {"0": 0, "1": 2, "2": 0}
    assert told["tool"] == {"get_weather": 2}
    assert told["decision"] == {"none": 2}
    assert {value.value for facet in facets_of(iteration, f) for value in facet.values if value.active} == {"exact", "simple"}


def test_a_facets_count_is_what_choosing_it_finds(iteration: Iteration) -> None:
    by_words = VerdictFilter(0, q="weather", tool=("get_weather",))
    for f in (VerdictFilter(0), by_words, replace(by_words, outcome=("exact",), calls=(1, NO_CALL)), VerdictFilter(0, q="!?")):
        for facet in facets_of(iteration, f):
            for value in facet.values:
                chosen: Any = {facet.name: (read_value(facet.name, value.value),)}
                assert count_of(iteration, replace(f, **chosen)) == value.count, (facet.name, value.value)


def test_facets_are_counted_whatever_is_in_their_texts(iteration: Iteration) -> None:
    odd = {"language": f"x{SEPARATOR}1", "category": f"{SEPARATOR}2{SEPARATOR}weather"}
    Verdict.objects.filter(iteration=iteration, sample__key__in=("sample-1", "sample-2")).update(**odd)
    for q in ("", "weather"):
        facets = facets_of(iteration, VerdictFilter(0, q=q))
        told = {facet.name: {value.value: value.count for value in facet.values} for facet in facets}
        assert {name: told[name][value] for name, value in odd.items()} == {"language": 2, "category": 2}


def test_decisions_are_found(iteration: Iteration, reviewer: User) -> None:
    sample = Sample.objects.get(key="sample-3")
    review.decide(iteration.run, iteration, sample, 0, "drop", reviewer)
    assert found(iteration, VerdictFilter(0, decision=("drop",))) == {3}
    assert 3 not in found(iteration, VerdictFilter(0, decision=("none", "keep")))


def test_a_list_reads_neither_generations_nor_contents(iteration: Iteration, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2) as told:
        page_of(iteration, VerdictFilter(0, outcome=("exact",)))
    with CaptureQueriesContext(connection) as counting:
        counted(iteration, VerdictFilter(0, q="weather"))
    assert len([query for query in counting.captured_queries if "curation_" in query["sql"]]) == 1
    with django_assert_num_queries(2):
        counted(iteration, VerdictFilter(0, outcome=("exact",)))
    queries = [*told.captured_queries, *counting.captured_queries]
    assert not any("curation_generation" in query["sql"] or "sampleversion" in query["sql"] for query in queries)


def test_counting_under_a_search_leaves_the_settings_of_the_transaction_as_they_were(iteration: Iteration) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        counted(iteration, VerdictFilter(0, q="weather"))
        cursor.execute("SHOW enable_seqscan")
        assert cursor.fetchone() == ("on",)


def test_a_filter_survives_its_address() -> None:
    words: Any = {"outcome": ("exact", "wrong_tool"), "category": ("",), "tool": ("a&b",), "language": ("zh",)}
    f = VerdictFilter(0, **words, decision=("drop", "none"), hits=(0, 3), calls=(NO_CALL, 2), q="天气 x", order="-hits")
    assert filter_from(dict(QueryDict(filter_query(f)).lists()), 0) == f


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"sample__dataset__project": ["1"]}, "sample__dataset__project' is not known; filter by outcome"),
        ({"change": ["stop"]}, "'change' is not known"),
        ({"outcome": ["good"]}, "choose of exact"),
        ({"decision": [""]}, "choose of none, keep"),
        ({"hits": ["-1"]}, "give a whole number"),
        ({"hits": ["²"]}, "give a whole number"),
        ({"calls": ["many"]}, '"none"'),
        ({"order": ["key"]}, "choose of id"),
        ({"q": ["a", "b"]}, "given 2 times"),
        ({"q": ["x" * 201]}, "at most 200"),
        ({"q": ["\x00"]}, "NUL"),
        ({"tool": ["\x00"]}, "not one that a sample can have"),
        ({"category": ["x" * 41]}, "not one that a sample can have"),
        ({"tool": [str(n) for n in range(51)]}, "at most 50"),
    ],
)
def test_what_is_not_known_is_refused(params: dict[str, list[str]], words: str) -> None:
    with pytest.raises(InputError) as refused:
        filter_from(params, 0)
    assert words in str(refused.value)


CURSORS = ("x", "WzFd", "eyJhIjoxfQ", "W251bGwsMV0", "WzEsIHRydWVd", "%00", "W" * 5000, "WzFlOTk5LDFd", "WzEsMWUzMDBd")


def test_a_cursor_that_is_none_is_refused(iteration: Iteration) -> None:
    for cursor in CURSORS:
        with pytest.raises(InputError, match="cursor"):
            page_of(iteration, VerdictFilter(0), after=cursor)
