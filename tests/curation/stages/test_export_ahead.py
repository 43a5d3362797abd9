"""Reading ahead of what is written: the rows are those of the chunk, and the connection is left as it was found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django.db import DataError, connection, transaction
from django.db.models import F, IntegerField, QuerySet, Value
from django.db.models.functions import Cast

from curation.models import Run, SampleVersion
from curation.stages.export_ahead import Ahead, among

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def versions(make_run: Callable[..., Run]) -> QuerySet[SampleVersion]:
    return SampleVersion.objects.filter(pk__in=make_run().revision.entries.values("version_id"))


def chunks_of(versions: QuerySet[SampleVersion], size: int) -> list[list[int]]:
    ids = list(versions.order_by("pk").values_list("pk", flat=True))
    return [ids[start : start + size] for start in range(0, len(ids), size)]


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("looks", [0, 3])
def test_each_chunks_rows_come_from_all_queries(versions: QuerySet[SampleVersion], size: int, looks: int) -> None:
    queries = [SampleVersion.objects.filter(among("pk")).values_list(name, flat=True) for name in ("pk", "sha256")]
    chunks, hashes = chunks_of(versions, size), dict(versions.values_list("pk", "sha256"))
    with Ahead(queries, chunks) as found:
        for chunk, (ids, digests) in zip(chunks, found, strict=True):
            for _ in range(looks):
                found.take_in()
            assert sorted(pk for (pk,) in ids) == chunk
            assert sorted(digest for (digest,) in digests) == sorted(hashes[pk] for pk in chunk)


def test_no_chunk_asks_nothing() -> None:
    with Ahead([SampleVersion.objects.filter(among("pk")).values_list("pk")], []) as found:
        assert list(found) == []


def test_a_reader_that_stops_leaves_a_connection_that_answers(versions: QuerySet[SampleVersion]) -> None:
    query = SampleVersion.objects.filter(among("pk")).values_list("content")
    with pytest.raises(KeyError), Ahead([query, query], chunks_of(versions, 2)) as found:
        next(found)
        raise KeyError
    assert versions.exists()


def test_a_query_that_fails_is_the_databases_error_and_leaves_a_connection_that_answers(
    versions: QuerySet[SampleVersion],
) -> None:
    failing = SampleVersion.objects.filter(among("pk")).values_list(Cast(Value("none"), IntegerField()) + F("pk"))
    sound = SampleVersion.objects.filter(among("pk")).values_list("pk")
    with pytest.raises(DataError, match="invalid input syntax"), transaction.atomic():
        list_of([failing, sound], chunks_of(versions, 2))
    assert not connection.needs_rollback
    assert versions.exists()


def list_of(queries: list[QuerySet], chunks: list[list[int]]) -> None:
    with Ahead(queries, chunks) as found:
        list(found)
