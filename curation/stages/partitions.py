"""The partition of generations that belongs to an iteration."""

from __future__ import annotations

from django.db import connection

from curation.models import Generation, Iteration

PARENT = Generation._meta.db_table


def ensure_partition(iteration: Iteration) -> None:
    """Make the iteration's partition, if it is not there; in a transaction.

    Made apart and then attached: that lets other iterations go on writing, as CREATE TABLE … PARTITION OF would not.
    """
    name = f"{PARENT}_{iteration.pk:d}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone()[0]:
            return
        cursor.execute(f"CREATE TABLE {name} (LIKE {PARENT} INCLUDING ALL)")
        cursor.execute(f"ALTER TABLE {PARENT} ATTACH PARTITION {name} FOR VALUES IN ({iteration.pk:d})")
