"""Revisions: from the staging table to samples, their versions, and the frozen list of them. Set by set, never row by row."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import connection

from curation.models import Dataset, DatasetRevision, User

# Content that the last revision holds under another key is no second sample of the new one.
DROP_KNOWN = """
DELETE FROM incoming i
USING curation_revisionentry e
JOIN curation_sampleversion v ON v.id = e.version_id
JOIN curation_sample s ON s.id = v.sample_id
WHERE e.revision_id = %(last)s AND v.sha256 = i.sha256 AND s.key <> i.key
"""
# Rows whose sample, or whose content in the last revision, is in the other split.
CROSSING = """
SELECT i.key, s.key, s.split FROM incoming i
JOIN curation_sample s ON s.dataset_id = %(dataset)s AND s.split <> i.split
WHERE s.key = i.key OR EXISTS (
    SELECT FROM curation_revisionentry e JOIN curation_sampleversion v ON v.id = e.version_id
    WHERE e.revision_id = %(last)s AND v.sample_id = s.id AND v.sha256 = i.sha256)
ORDER BY i.position LIMIT 20
"""
ADD_SAMPLES = """
INSERT INTO curation_sample (dataset_id, key, split)
SELECT %(dataset)s, key, split FROM incoming ORDER BY position
ON CONFLICT (dataset_id, key) DO NOTHING
"""
ADD_VERSIONS = """
INSERT INTO curation_sampleversion
    (sample_id, number, sha256, content, category, language, calls, created_by_id, created_at)
SELECT s.id,
       1 + coalesce((SELECT max(v.number) FROM curation_sampleversion v WHERE v.sample_id = s.id), 0),
       i.sha256, (i.content || ', "split": "' || s.split || '"}')::json, i.category, i.language, i.calls, %(by)s, now()
FROM incoming i JOIN curation_sample s ON s.dataset_id = %(dataset)s AND s.key = i.key
ORDER BY i.position
ON CONFLICT (sample_id, sha256) DO NOTHING
"""
ADD_WORDS = """
INSERT INTO curation_samplewords (version_id, words)
SELECT v.id, array_to_tsvector(i.words)
FROM incoming i
JOIN curation_sample s ON s.dataset_id = %(dataset)s AND s.key = i.key
JOIN curation_sampleversion v ON v.sample_id = s.id AND v.sha256 = i.sha256
ORDER BY i.position
ON CONFLICT (version_id) DO NOTHING
"""
# The last revision's samples first, where it goes on, in the version that the file has of them; then the file's new ones.
LIST = """
CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
WITH arrived AS (
    SELECT i.position, s.id AS sample_id, v.id AS version_id
    FROM incoming i
    JOIN curation_sample s ON s.dataset_id = %(dataset)s AND s.key = i.key
    JOIN curation_sampleversion v ON v.sample_id = s.id AND v.sha256 = i.sha256
), kept AS (
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
FROM listed l
JOIN curation_sampleversion v ON v.id = l.version_id
JOIN curation_sample s ON s.id = v.sample_id
"""
ADD_ENTRIES = """
INSERT INTO curation_revisionentry (revision_id, position, version_id)
SELECT %(revision)s, position, version_id FROM listed ORDER BY position
"""


class Stored(NamedTuple):
    """The revision that holds the staged samples, and what it took."""

    revision: DatasetRevision
    created: bool  # false: the last revision holds exactly these already
    new: int  # versions added
    duplicates: int  # staged rows that the last revision holds under another key
    calls: int  # samples of the revision whose truth calls tools


def last_revision(dataset: Dataset) -> DatasetRevision | None:
    return DatasetRevision.objects.filter(dataset=dataset).order_by("-number").first()


def crossing(dataset: Dataset, last: DatasetRevision | None) -> list[tuple[str, str, str]]:
    """(staged key, key it meets, that one's split) of the first 20 rows that would put a sample into both splits."""
    with connection.cursor() as cursor:
        cursor.execute(CROSSING, {"dataset": dataset.pk, "last": last and last.pk})
        return [(new, known, split) for new, known, split in cursor.fetchall()]


def store(dataset: Dataset, last: DatasetRevision | None, *, append: bool, source: str, by: User | None) -> Stored:
    """Add what is new of the staged rows and list the next revision; the data set is locked by the caller."""
    kept = last.pk if last is not None and append else None
    names = {"dataset": dataset.pk, "last": kept, "kept": kept, "by": by and by.pk}
    with connection.cursor() as cursor:
        duplicates = _count(cursor, DROP_KNOWN, names)
        _count(cursor, ADD_SAMPLES, names)
        new = _count(cursor, ADD_VERSIONS, names)
        _count(cursor, ADD_WORDS, names)
        cursor.execute("DROP TABLE IF EXISTS pg_temp.listed")  # an earlier import's, within one transaction
        cursor.execute(LIST, names)
        cursor.execute(SUM_UP)
        sha256, train, heldout, calls = cursor.fetchone()
        if last is not None and not new and last.sha256 == sha256:
            return Stored(last, False, 0, duplicates, calls)
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
    return Stored(revision, True, new, duplicates, calls)


def _count(cursor: Any, statement: str, names: dict[str, Any]) -> int:
    cursor.execute(statement, names)
    return int(cursor.rowcount)
