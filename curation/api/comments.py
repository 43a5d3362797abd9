"""What people say to each other about a sample of a run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Query, Router, Schema, Status

from django.http import Http404, HttpRequest

from curation.access import run_of
from curation.api.paging import Page, Slice, page_by
from curation.api.persons import Person
from curation.api.reading import Given
from curation.api.signing import me
from curation.models import Comment, Run, Sample
from curation.stages import commenting

router = Router()


class CommentOut(Schema):
    """Plain text; of a deleted comment the text is gone."""

    id: int
    sample: int
    by: Person
    text: str
    at: datetime
    deleted_at: datetime | None

    @staticmethod
    def resolve_sample(comment: Comment) -> int:
        return int(comment.sample_id)


class NewComment(Given):
    text: str


@router.get("/runs/{int:run}/samples/{int:sample}/comments", response=Page[CommentOut])
def list_comments(request: HttpRequest, run: int, sample: int, by: Query[Slice]) -> Any:
    """The oldest first."""
    found = run_of(me(request), run)
    comments = Comment.objects.filter(run=found, sample=_commented(found, sample)).select_related("by")
    return page_by(comments, "pk", by.after, by.limit)


@router.post("/runs/{int:run}/samples/{int:sample}/comments", response={201: CommentOut})
def create_comment(request: HttpRequest, run: int, sample: int, given: NewComment) -> Any:
    """Reviewers comment."""
    found = run_of(me(request), run)
    return Status(201, commenting.comment(found, _commented(found, sample), given.text, me(request)))


@router.delete("/runs/{int:run}/comments/{int:comment}", response={204: None})
def delete_comment(request: HttpRequest, run: int, comment: int) -> Any:
    """The writer may, and an owner of the team."""
    comments = Comment.objects.filter(run=run_of(me(request), run), pk=comment)
    found = comments.select_related("run__project__team", "by").first()
    if found is None:
        raise Http404("the run has no such comment")
    commenting.delete_comment(found, me(request))
    return Status(204, None)


def _commented(run: Run, sample: int) -> Sample:
    found = commenting.commented(run).filter(pk=sample).first()
    if found is None:
        raise Http404("the run has no such sample")
    return found
