"""Storing: an import's batches become samples, versions and words while the file is still being read."""

from __future__ import annotations

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple

from django.db import connection

from curation.models import Dataset, DatasetRevision, User
from curation.stages.incoming import COLUMNS

# `held`: what the revision that is appended to holds. `arrived`: what the file's rows have become. The ids are for a data set's
# first revision, whose samples and versions are all new.
STAGING = """
DROP TABLE IF EXISTS pg_temp.incoming, pg_temp.held, pg_temp.arrived;
CREATE TEMPORARY TABLE incoming (
    position integer NOT NULL, key text NOT NULL, split text NOT NULL, sha256 text NOT NULL, content text NOT NULL,
    category text NOT NULL, language text NOT NULL, calls smallint, words tsvector NOT NULL,
    sample_id bigint NOT NULL DEFAULT nextval('curation_sample_id_seq'),
    version_id bigint NOT NULL DEFAULT nextval('curation_sampleversion_id_seq')
) WITH (toast_tuple_target = 8160) ON COMMIT DROP;
CREATE TEMPORARY TABLE arrived (position integer NOT NULL, sample_id bigint NOT NULL, version_id bigint NOT NULL, new boolean)
    ON COMMIT DROP;
CREATE TEMPORARY TABLE held ON COMMIT DROP AS
    SELECT v.sha256, s.key, s.split
    FROM curation_revisionentry e
    JOIN curation_sampleversion v ON v.id = e.version_id
    JOIN curation_sample s ON s.id = v.sample_id
    WHERE e.revision_id = %(last)s;
CREATE INDEX ON held (sha256);
ANALYZE held;
SET CONSTRAINTS ALL IMMEDIATE;
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';
SET LOCAL gin_pending_list_limit = '16MB';
"""
COPY = f"COPY incoming ({COLUMNS}) FROM STDIN (FORMAT binary)"
COPY_BEGINS, COPY_ENDS = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
# Rows whose sample, or whose content in the last revision, is in the other split.
CROSSING = """
SELECT known, split FROM (
    SELECT i.position, s.key AS known, s.split
    FROM incoming i JOIN curation_sample s ON s.dataset_id = %(dataset)s AND s.key = i.key
    WHERE s.split <> i.split
    UNION
    SELECT i.position, h.key, h.split FROM incoming i JOIN held h ON h.sha256 = i.sha256 WHERE h.split <> i.split
) crossing ORDER BY position LIMIT %(most)s
"""
# Content that the last revision holds under another key is no second sample of the new one.
DROP_HELD = "DELETE FROM incoming i USING held h WHERE h.sha256 = i.sha256 AND h.key <> i.key"
ADD = """
WITH fresh AS (
    INSERT INTO curation_sample (dataset_id, key, split)
    SELECT %(dataset)s, key, split FROM incoming ORDER BY position
    ON CONFLICT (dataset_id, key) DO NOTHING
    RETURNING id, key, split
), placed AS (
    SELECT i.position, f.id AS sample_id, f.split, 1 AS number, NULL::bigint AS version_id
    FROM incoming i JOIN fresh f ON f.key = i.key
    UNION ALL
    SELECT i.position, s.id, s.split, s.number,
           (SELECT v.id FROM curation_sampleversion v WHERE v.sample_id = s.id AND v.sha256 = i.sha256)
    FROM incoming i
    LEFT JOIN fresh f ON f.key = i.key
    CROSS JOIN LATERAL (
        SELECT s.id, s.split,
               1 + coalesce((SELECT max(v.number) FROM curation_sampleversion v WHERE v.sample_id = s.id), 0) AS number
        FROM curation_sample s WHERE s.dataset_id = %(dataset)s AND s.key = i.key
        LIMIT 1  -- one look into the index per row: the data set's samples may be many, and are not counted yet
    ) s
    WHERE f.id IS NULL
), added AS (
    INSERT INTO curation_sampleversion
        (sample_id, number, sha256, content, category, language, calls, created_by_id, created_at)
    SELECT p.sample_id, p.number, i.sha256, (i.content || ',"split":"' || p.split || '"}')::json,
           i.category, i.language, i.calls, %(by)s, now()
    FROM placed p JOIN incoming i ON i.position = p.position
    WHERE p.version_id IS NULL
    ORDER BY p.position
    RETURNING id, sample_id
), worded AS (
    INSERT INTO curation_samplewords (version_id, words)
    SELECT a.id, i.words
    FROM added a JOIN placed p ON p.sample_id = a.sample_id JOIN incoming i ON i.position = p.position
    ORDER BY a.id
)
INSERT INTO arrived
SELECT p.position, p.sample_id, coalesce(p.version_id, a.id), p.version_id IS NULL
FROM placed p LEFT JOIN added a ON a.sample_id = p.sample_id
"""
# The first revision of a data set without samples: nothing is looked for, nothing sorted, each table is filled in its order.
ADD_FIRST = """
INSERT INTO curation_sample (id, dataset_id, key, split) SELECT sample_id, %(dataset)s, key, split FROM incoming;
INSERT INTO curation_sampleversion
    (id, sample_id, number, sha256, content, category, language, calls, created_by_id, created_at)
    SELECT version_id, sample_id, 1, sha256, (content || ',"split":"' || split || '"}')::json,
           category, language, calls, %(by)s, now() FROM incoming;
INSERT INTO curation_samplewords (version_id, words) SELECT version_id, words FROM incoming;
INSERT INTO curation_revisionentry (revision_id, position, version_id)
    SELECT %(first)s, position, version_id FROM incoming
"""
MOST_CROSSING = 20
TURN = 0.0002  # seconds that the reading thread holds the interpreter while an answer of the database waits for it
USUAL_TURN = sys.getswitchinterval()


class Crossing(NamedTuple):
    """A sample of the data set that the file would put into the other split."""

    key: str
    split: str


class Storing:
    """Writes batches in their order on a thread of its own, within the caller's transaction, one while the next is read.

    Nobody else may use the connection between `add` and the end of the `with`. Not in charge of the revision.
    """

    def __init__(
        self, dataset: Dataset, last: DatasetRevision | None, first: DatasetRevision | None, *, one_split: bool, by: User | None
    ) -> None:
        """`last`: the revision that goes on in the next one. `first`: that of a data set without samples, which gets its
        entries here. `one_split`: refuse what would cross over."""
        self.crossing: list[Crossing] = []
        self.duplicates = 0  # rows that the last revision holds under another key
        self._one_split = one_split and first is None
        self._names = {"dataset": dataset.pk, "last": last and last.pk, "first": first and first.pk, "by": by and by.pk}
        self._names["most"] = MOST_CROSSING
        self._add = ADD if first is None else ADD_FIRST
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storing")
        self._pending: Future[None] | None = None

    def __enter__(self) -> Storing:
        with connection.cursor() as cursor:
            cursor.execute(STAGING, self._names)
        sys.setswitchinterval(TURN)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is None:
                self._settle()
        finally:
            self._thread.shutdown()
            sys.setswitchinterval(USUAL_TURN)

    def add(self, batch: bytes) -> None:
        """Store the lines of one batch, once those before are stored."""
        self._settle()
        self._pending = self._thread.submit(self._store, connection.connection, batch)

    def _settle(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            with connection.wrap_database_errors:
                pending.result()

    def _store(self, raw: Any, batch: bytes) -> None:
        if self.crossing:
            return  # the file is refused
        with raw.cursor() as cursor:
            cursor.execute("TRUNCATE incoming")
            with cursor.copy(COPY) as copy:
                copy.write(COPY_BEGINS + batch + COPY_ENDS)
            if self._one_split:
                self.crossing = [Crossing(*found) for found in cursor.execute(CROSSING, self._names)]
            if self._names["last"] is not None:
                self.duplicates += cursor.execute(DROP_HELD).rowcount
            cursor.execute(self._add, self._names)
