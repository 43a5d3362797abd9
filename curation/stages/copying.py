"""Bulk writes that may be done twice: COPY into a temporary table, then INSERT … SELECT … ON CONFLICT DO NOTHING."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_written = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write rows of `columns` into the model's table, those that are there already excepted; returns how many were new.

    JSON columns take text (`json_text`). Needs a transaction, whose end drops the temporary table.
    """
    quote = connection.ops.quote_name
    table, staged = quote(model._meta.db_table), quote(f"staged_{model._meta.db_table}")
    names = ", ".join(quote(column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {staged} ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA")
        with cursor.copy(f"COPY {staged} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {staged} ON CONFLICT DO NOTHING")
        written: int = cursor.rowcount
        cursor.execute(f"DROP TABLE {staged}")
    return written


def storable(text: str) -> str:
    """The text as Postgres can hold it: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def json_text(value: Any) -> str:
    """A JSON value as text that jsonb can hold; a number that JSON does not have becomes a text."""
    try:
        text = _written(value)
    except ValueError:  # such a number
        return json.dumps(_plain(value), ensure_ascii=False)
    if "\\u0000" in text or _UNSTORABLE.search(text):
        return json.dumps(_plain(value), ensure_ascii=False)
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
