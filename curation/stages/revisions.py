"""Revisions: the frozen list of the versions that an import stored, and of those that go on."""

from __future__ import annotations

from typing import NamedTuple

from django.db import IntegrityError, connection

from curation.models import Dataset, DatasetRevision, Sample, User

# The words' index is brought up to date at once: until then each search reads all that is pending.
TIDY = """
SET CONSTRAINTS ALL DEFERRED;
SELECT gin_clean_pending_list('sample_words');
DROP TABLE IF EXISTS pg_temp.listed;
ANALYZE arrived;
"""
# The last revision's samples first, where it goes on, in the version that the file has of them; then the file's new ones.
LIST = """
CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
WITH kept AS (
    SELECT e.position, v.sample_id, coalesce(a.version_id, e.version_id) AS version_id
    FROM curation_revisionentry e
    JOIN curation_sampleversion v ON v.id = e.version_id
    LEFT JOIN arrived a ON a.sample_id = v.sample_id
    WHERE e.revision_id = %(kept)s
)
SELECT row_number() OVER (ORDER BY part, position) - 1 AS position, version_id
FROM (
    SELECT 0 AS part, position, version_id FROM kept
    UNION ALL
    SELECT 1, position, version_id FROM arrived WHERE sample_id NOT IN (SELECT sample_id FROM kept)
) parts
"""
SUM_UP = """
SELECT encode(sha256(convert_to(coalesce(string_agg(v.sha256, '' ORDER BY l.position), ''), 'UTF8')), 'hex'),
       count(*) FILTER (WHERE s.split = 'train'), count(*) FILTER (WHERE s.split = 'heldout'), count(v.calls)
FROM {listed} l
JOIN curation_sampleversion v ON v.id = l.version_id
JOIN curation_sample s ON s.id = v.sample_id
"""
ADD_ENTRIES = """
INSERT INTO curation_revisionentry (revision_id, position, version_id)
SELECT %(revision)s, position, version_id FROM listed ORDER BY position
"""
COUNT_NEW = "SELECT count(*) FROM arrived WHERE new"
ENTRIES = "(SELECT position, version_id FROM curation_revisionentry WHERE revision_id = %(revision)s)"


class Stored(NamedTuple):
    """The revision that holds the stored samples."""

    revision: DatasetRevision
    created: bool  # false: the last revision holds exactly these already
    new: int  # versions added
    calls: int  # samples of the revision whose truth calls tools


def last_revision(dataset: Dataset) -> DatasetRevision | None:
    return DatasetRevision.objects.filter(dataset=dataset).order_by("-number").first()


def open_first(dataset: Dataset, *, source: str, by: User | None) -> DatasetRevision | None:
    """The first revision of a data set without samples, still to be filled; None when there are some already."""
    if Sample.objects.filter(dataset=dataset).exists():
        return None
    return DatasetRevision.objects.create(
        dataset=dataset, number=1, sha256="", train=0, heldout=0, source=source[:255], created_by=by
    )


def close_first(revision: DatasetRevision, rows: int) -> Stored:
    """Sum up what `Storing` has filled the first revision with.

    Raises IntegrityError unless it holds as many `rows`, each with its version and sample.
    """
    with connection.cursor() as cursor:
        cursor.execute(TIDY)
        cursor.execute(SUM_UP.format(listed=ENTRIES), {"revision": revision.pk})
        revision.sha256, revision.train, revision.heldout, calls = cursor.fetchone()
    if (whole := revision.train + revision.heldout) != rows:
        raise IntegrityError(f"{revision}: {whole} of {rows} rows are whole")
    revision.save(update_fields=["sha256", "train", "heldout"])
    return Stored(revision, True, revision.train + revision.heldout, calls)


def next_revision(dataset: Dataset, last: DatasetRevision | None, *, append: bool, source: str, by: User | None) -> Stored:
    """List what `Storing` has stored as the next revision; the data set is locked by the caller."""
    with connection.cursor() as cursor:
        cursor.execute(TIDY)
        cursor.execute(LIST, {"kept": last.pk if last is not None and append else None})
        cursor.execute(SUM_UP.format(listed="listed"))
        sha256, train, heldout, calls = cursor.fetchone()
        cursor.execute(COUNT_NEW)
        (new,) = cursor.fetchone()
        if last is not None and not new and last.sha256 == sha256:
            return Stored(last, False, 0, calls)
        revision = DatasetRevision.objects.create(
            dataset=dataset,
            number=last.number + 1 if last is not None else 1,
            sha256=sha256,
            train=train,
            heldout=heldout,
            source=source[:255],
            created_by=by,
        )
        cursor.execute(ADD_ENTRIES, {"revision": revision.pk})
    return Stored(revision, True, new, calls)
