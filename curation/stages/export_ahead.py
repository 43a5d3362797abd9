"""Rows for an export, a chunk of ids at a time: Postgres finds the next chunk's while Python writes the lines of this one's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from select import select
from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus

from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet, Value

Rows = Sequence[tuple[Any, ...]]
_IDS = "{the ids of a chunk}"  # stands in a compiled query where each chunk's ids are put


def among(column: str) -> Func:
    """Whether a column's value is one of the chunk's ids: as one array they take far less of Python's time than as many
    parameters."""
    array = Value(_IDS)
    return Func(F(column), array, template="%(expressions)s::bigint[])", arg_joiner=" = ANY(", output_field=BooleanField())


class Ahead(Iterator[list[Rows]]):
    """For each chunk the rows of all the queries, in which `among` stands for the chunk; compiled once, and sent together.

    Use it as a context: one chunk's answers are always on their way, and Postgres holds still once some 200 KB of them wait.
    Whoever works on the chunk before calls `take_in` now and then. Not in charge of converting fields as models do.
    """

    def __init__(self, queries: Sequence[QuerySet[Any, Any]], chunks: Iterable[Sequence[int]]) -> None:
        connection.ensure_connection()
        self._raw: psycopg.Connection[Any] = connection.connection
        self._queries = [query.query.sql_with_params() for query in queries]
        self._chunks = iter(chunks)
        self._awaited = False

    def __enter__(self) -> Ahead:
        self._ask()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the connection as it was found: it takes no other query before these are answered."""
        while self._awaited:
            self._awaited = self._result() is not None

    def __next__(self) -> list[Rows]:
        if not self._awaited:
            raise StopIteration
        with connection.wrap_database_errors:
            found = [self._rows() for _ in self._queries]
            self._awaited = self._result() is not None
            self._ask()
        return found

    def take_in(self) -> None:
        """Take what Postgres has sent so far; harmless where there is nothing."""
        if self._awaited:
            self._raw.pgconn.consume_input()

    def _ask(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            return
        ids = f"{{{','.join(map(str, chunk))}}}"
        cursor = psycopg.ClientCursor(self._raw)
        asked = [cursor.mogrify(sql, [ids if each == _IDS else each for each in params]) for sql, params in self._queries]
        self._awaited = True
        self._raw.pgconn.send_query(";".join(asked).encode())
        while self._raw.pgconn.flush():
            select([], [self._raw.pgconn.socket], [])

    def _rows(self) -> Rows:
        result = self._result()
        if result is None or result.status != ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError("no answer") if result is None else psycopg.errors.error_from_result(result)
        transformer = Transformer(self._raw)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _result(self) -> Any:
        pgconn = self._raw.pgconn
        while pgconn.is_busy():
            select([pgconn.socket], [], [])
            pgconn.consume_input()
        return pgconn.get_result()
