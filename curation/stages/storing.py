"""Storing: an import's batches become samples, versions and words while the file is still being read."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from django.db import connection

from curation.models import Dataset, DatasetRevision, User
from curation.models.searching import dataset_word
from curation.stages.incoming import Batch
from toolcalls.searching import different_words

# `held`: what the revision that is appended to holds. `arrived`: what the file's rows have become.
STAGING = """
DROP TABLE IF EXISTS pg_temp.incoming, pg_temp.held, pg_temp.arrived;
CREATE TEMPORARY TABLE incoming (
    position integer NOT NULL, key text NOT NULL, split text NOT NULL, sha256 text NOT NULL, content text NOT NULL,
    category text NOT NULL, language text NOT NULL, calls smallint, words tsvector NOT NULL
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
COPY = "COPY {into} FROM STDIN (FORMAT binary)"
COPY_BEGINS, COPY_ENDS = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
INCOMING = "incoming (position, key, split, sha256, content, category, language, calls, words)"
SAMPLES = "curation_sample (id, dataset_id, key, split)"
VERSIONS = """curation_sampleversion
    (id, sample_id, number, created_by_id, created_at, sha256, content, category, language, calls)"""
WORDS = "curation_samplewords (version_id, words)"
ENTRIES = "curation_revisionentry (revision_id, position, version_id)"
NEW_IDS = "SELECT nextval('curation_sample_id_seq'), nextval('curation_sampleversion_id_seq') FROM generate_series(1, %s)"
# Foreign keys are checked row by row, at a third of the whole cost. What `_fill` writes refers to nothing but rows that this
# transaction has locked or written itself, so revisions.close_first asks once for all rows. Not every role may do without.
MAY_CHECK_AT_ONCE = "SELECT has_parameter_privilege('session_replication_role', 'SET')"
UNCHECKED, CHECKED = (f"SET LOCAL session_replication_role TO {value}" for value in ("replica", "DEFAULT"))
NOW = "SELECT (extract(epoch FROM now()) * 1000000)::bigint - 946684800000000"  # microseconds since 2000, as COPY has times
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
    SELECT p.sample_id, p.number, i.sha256,
           CASE p.split WHEN i.split THEN i.content  -- which ends with the split of the file
           ELSE left(i.content, -2 - length(i.split)) || p.split || '"}' END::json,
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
MOST_CROSSING = 20


class Crossing(NamedTuple):
    """A sample of the data set that the file would put into the other split."""

    key: str
    split: str


class Storing:
    """Writes batches in their order, within the caller's transaction. Not in charge of the revision."""

    def __init__(
        self, dataset: Dataset, last: DatasetRevision | None, first: DatasetRevision | None, *, one_split: bool, by: User | None
    ) -> None:
        """`last`: the revision that goes on in the next one. `first`: that of a data set without samples, which gets its
        entries here. `one_split`: refuse what would cross over."""
        self.crossing: list[Crossing] = []
        self.rows = 0  # handed over
        self.duplicates = 0  # rows that the last revision holds under another key
        self._one_split = one_split
        self._first = first
        self._names = {"dataset": dataset.pk, "last": last and last.pk, "by": by and by.pk, "most": MOST_CROSSING}
        self._made = b""  # the fields that all versions of a first revision share
        self._found_by = dataset_word(dataset.pk)
        self._at_once = False  # whether the database lets us check foreign keys once for all rows

    def prepare(self) -> None:
        """Make the tables that last until the transaction ends."""
        with connection.cursor() as cursor:
            cursor.execute(STAGING, self._names)
            cursor.execute(NOW)
            by = self._names["by"]
            self._made = _INTEGER.pack(4, 1) + (_NULL if by is None else _BIG.pack(8, by)) + _BIG.pack(8, cursor.fetchone()[0])
            cursor.execute(MAY_CHECK_AT_ONCE)
            (self._at_once,) = cursor.fetchone()

    def add(self, batch: Batch) -> None:
        if self.crossing:
            return  # the file is refused
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            if self._first is None:
                self._merge(cursor, batch)
            else:
                if self._at_once:
                    cursor.execute(UNCHECKED)
                self._fill(cursor, batch, self._first)
                if self._at_once:
                    cursor.execute(CHECKED)
        self.rows += len(batch.samples)

    def _merge(self, cursor: Any, batch: Batch) -> None:
        """Add what the data set does not hold yet."""
        cursor.execute("TRUNCATE incoming")
        numbers = [_INCOMING.pack(9, 4, number) for number in self._positions(batch)]
        _copy(cursor, INCOMING, map(b"".join, zip(numbers, batch.samples, batch.versions, self._vectors(batch), strict=True)))
        if self._one_split:
            self.crossing = [Crossing(*found) for found in cursor.execute(CROSSING, self._names)]
        if self._names["last"] is not None:
            self.duplicates += cursor.execute(DROP_HELD).rowcount
        cursor.execute(ADD, self._names)

    def _fill(self, cursor: Any, batch: Batch, revision: DatasetRevision) -> None:
        """Add everything to a data set without samples: nothing is looked for, each table is filled in its order."""
        dataset, made = self._names["dataset"], self._made
        samples, versions = zip(*cursor.execute(NEW_IDS, [len(batch.samples)]).fetchall(), strict=True)
        with ThreadPoolExecutor(1, thread_name_prefix="words") as beside:  # while the database is waited for
            vectors = beside.submit(lambda: list(self._vectors(batch)))
            rows = zip(samples, batch.samples, strict=True)
            _copy(cursor, SAMPLES, [_SAMPLE.pack(4, 8, sample, 8, dataset) + fields for sample, fields in rows])
            numbered = zip(versions, samples, batch.versions, strict=True)
            filled = [_VERSION.pack(10, 8, version, 8, sample) + made + fields for version, sample, fields in numbered]
            _copy(cursor, VERSIONS, filled)
        worded = zip(versions, vectors.result(), strict=True)
        _copy(cursor, WORDS, [_WORDS.pack(2, 8, version) + vector for version, vector in worded])
        placed = zip(self._positions(batch), versions, strict=True)
        _copy(cursor, ENTRIES, [_ENTRY.pack(3, 8, revision.pk, 4, position, 8, version) for position, version in placed])

    def _vectors(self, batch: Batch) -> Iterator[bytes]:
        """The words of each row, as a tsvector is received: without places; the server sorts them.

        Made here, not where the file is read: that takes longer as it is.
        """
        for text in batch.texts:
            words = different_words(text)
            value = "\0\0\0".join((self._found_by, *words, "")).encode()
            yield _VECTOR.pack(len(value) + 4, len(words) + 1) + value

    def _positions(self, batch: Batch) -> range:
        return range(self.rows, self.rows + len(batch.samples))


def _copy(cursor: Any, into: str, rows: Iterable[bytes]) -> None:
    with cursor.copy(COPY.format(into=into)) as copy:
        copy.write(b"".join((COPY_BEGINS, *rows, COPY_ENDS)))


# A row begins with the number of its fields, a field with the number of its bytes.
_INCOMING, _SAMPLE, _VERSION = struct.Struct(">hii"), struct.Struct(">hiqiq"), struct.Struct(">hiqiq")
_VECTOR, _WORDS, _ENTRY = struct.Struct(">ii"), struct.Struct(">hiq"), struct.Struct(">hiqiiiq")
_INTEGER, _BIG, _NULL = struct.Struct(">ii"), struct.Struct(">iq"), struct.pack(">i", -1)
