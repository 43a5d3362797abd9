"""Storing: what a first revision refers to exists, whoever checks it, row by row or once for all."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from django.db import IntegrityError, connection, transaction

from curation.models import DatasetRevision, Project, RevisionEntry, SampleVersion, SampleWords
from curation.stages import revisions
from curation.stages.importing import import_dataset
from toolcalls.exporting import sample_line

pytestmark = [pytest.mark.db, pytest.mark.django_db]
TABLES = ("curation_sample", "curation_sampleversion", "curation_samplewords", "curation_revisionentry")


@pytest.fixture
def imported(project: Project, make_sample: Callable[..., Any]) -> Callable[[], DatasetRevision]:
    """`imported()`: the first revision of a new data set, with three samples."""
    lines = "".join(sample_line(make_sample(number)).strip() + "\n" for number in range(3)).encode()
    return lambda: import_dataset(project, "weather", io.BytesIO(lines)).revision


def asked(query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def test_foreign_keys_are_checked_as_before_after_an_import(imported: Callable[[], DatasetRevision]) -> None:
    revision = imported()
    assert asked("SHOW session_replication_role") == "origin"
    with pytest.raises(IntegrityError), transaction.atomic():
        RevisionEntry.objects.create(revision=revision, position=3, version_id=2**40)
        connection.check_constraints()


def test_role_that_may_not_check_at_once_stores_the_same(imported: Callable[[], DatasetRevision]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE ROLE plain; GRANT ALL ON ALL TABLES IN SCHEMA public TO plain; GRANT CREATE ON SCHEMA public TO plain"
        )
        cursor.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO plain; ALTER TABLE curation_samplewords OWNER TO plain")
        cursor.execute("SET LOCAL ROLE plain")
    assert not asked("SELECT has_parameter_privilege('session_replication_role', 'SET')")
    revision = imported()
    assert [entry.version.sample.key for entry in revision.entries.order_by("position")] == ["sample-0", "sample-1", "sample-2"]
    assert SampleWords.objects.count() == revision.train == 3


def test_revision_with_a_row_that_is_not_whole_is_refused(imported: Callable[[], DatasetRevision]) -> None:
    revision = imported()
    revision.entries.latest("pk").delete()
    with pytest.raises(IntegrityError, match="2 of 3 rows are whole"):
        revisions.close_first(revision, 3)


def test_every_row_of_a_first_revision_refers_to_what_is_there(imported: Callable[[], DatasetRevision]) -> None:
    imported()
    connection.check_constraints(TABLES)
    assert SampleVersion.objects.filter(sample__dataset__revisions__entries__version__words__isnull=True).count() == 0
