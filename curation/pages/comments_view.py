"""What people said about a sample of a run, as its page shows it; and how much, for lists."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from curation.models import Comment, Role, Run, User


@dataclass(frozen=True, slots=True)
class CommentView:
    pk: int
    by: str
    at: datetime
    text: str
    deleted: bool
    may_delete: bool


def comments_of(run: Run, sample: int, user: User, role: Role | None) -> tuple[CommentView, ...]:
    """The oldest first, deleted ones too. `role`: the user's in the run's team."""
    rows = Comment.objects.filter(run=run, sample=sample).select_related("by").order_by("id")
    return tuple(
        CommentView(
            row.pk,
            str(row.by),
            row.at,
            row.text,
            row.deleted_at is not None,
            row.deleted_at is None and (row.by_id == user.pk or role == Role.OWNER),
        )
        for row in rows
    )


def comment_counts(run: int, samples: Collection[int]) -> dict[int, int]:
    """By sample, without the deleted ones; samples that nobody spoke about are not in it."""
    rows = Comment.objects.filter(run=run, sample__in=samples, deleted_at=None).order_by()
    return dict(rows.values_list("sample_id").annotate(Count("pk")))
