"""Pages by key, never by offset: a row that is added or goes away neither repeats nor hides another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ninja import Schema
from pydantic import Field

from django.db import models

T = TypeVar("T")
MOST = 200


class Slice(Schema):
    """Which page: the first of `limit` rows, or what comes after the `next` of another page."""

    after: int | None = Field(None, ge=1, le=2**63 - 1, description="the `next` of the page before")
    limit: int = Field(50, ge=1, le=MOST, description="rows of a page")


class Page(Schema, Generic[T]):
    items: list[T]
    next: int | None = Field(description="for `after`; null on the last page")


def newest_first(rows: models.QuerySet[Any], by: Slice) -> dict[str, Any]:
    """The page of `rows`, the highest key first; one query, of one row more than shown."""
    rows = rows.filter(pk__lt=by.after) if by.after is not None else rows
    return _page(rows.order_by("-pk"), "pk", by.limit, None)


def page_by(
    rows: models.QuerySet[Any],
    column: str,
    after: int | None,
    limit: int,
    shown: Callable[[Any], Any] | None = None,
) -> dict[str, Any]:
    """The page of `rows` in the order of a column that is unique among them; `shown` makes the item of a row."""
    rows = rows.filter(**{f"{column}__gt": after}) if after is not None else rows
    return _page(rows.order_by(column), column, limit, shown)


def _page(rows: models.QuerySet[Any], column: str, limit: int, shown: Callable[[Any], Any] | None) -> dict[str, Any]:
    found = list(rows[: limit + 1])
    items = [shown(row) for row in found[:limit]] if shown else found[:limit]
    return {"items": items, "next": getattr(found[limit - 1], column) if len(found) > limit else None}
