"""A revision as JSON lines in Whetstone's own form: importing them makes the same revision again."""

from __future__ import annotations

from collections.abc import Generator

from django.db import connection

from curation.models import DatasetRevision

ROWS = 500  # read at a time
# `content` is json, not jsonb: Postgres gives back the text that was stored, its order included.
READ = """
SELECT e.position, v.content::text FROM curation_revisionentry e JOIN curation_sampleversion v ON v.id = e.version_id
WHERE e.revision_id = %s AND e.position > %s ORDER BY e.position LIMIT %s
"""


def revision_lines(revision: DatasetRevision) -> Generator[bytes, None, None]:
    """Some hundred lines at a time, in the revision's order; memory does not grow with the revision."""
    last = -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(READ, [revision.pk, last, ROWS])
            rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        yield "".join(f"{text}\n" for _, text in rows).encode()
