"""Commenting: what people say to each other about a sample of a run. It decides nothing."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from curation.models import Benchmark, Comment, RevisionEntry, Role, Run, Sample, User
from curation.stages import events
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.people import require
from curation.stages.texts import check_text

LONGEST = 5000  # characters


def commented(run: Run) -> QuerySet[Sample]:
    """What may be commented on in a run: its revision's samples, held-out ones too, and the items of its benchmarks."""
    chosen = Benchmark.objects.filter(chosen_by__run=run).values("pk")
    entries = RevisionEntry.objects.filter(Q(revision=run.revision_id) | Q(revision__in=chosen))
    return Sample.objects.filter(Exists(entries.filter(version__sample=OuterRef("pk"))))


@transaction.atomic
def comment(run: Run, sample: Sample, text: str, by: User) -> Comment:
    """Say something about a sample that may be `commented`. Raises InputError for another, and for a text that is none."""
    require(by, run.project.team, Role.REVIEWER)
    if not commented(run).filter(pk=sample.pk).exists():
        raise InputError(f"sample {sample} is not one of run {run}; choose one of its data set's revision, or of its benchmarks")
    text = check_text("the comment", text.strip().replace("\r\n", "\n"), LONGEST)
    if not text:
        raise InputError("the comment is empty; write something")
    made: Comment = Comment.objects.create(run=run, sample=sample, by=by, text=text)
    events.record("comment.add", made, run_id=run.pk, actor=by, after={"sample": sample.pk})
    return made


@transaction.atomic
def delete_comment(comment: Comment, by: User) -> None:
    """Take a comment's text away, for good: its writer may, and an owner of the team.

    Raises NotPermitted for anybody else, WrongState when it has been deleted.
    """
    team = comment.run.project.team
    require(by, team, Role.REVIEWER)
    if comment.by_id != by.pk:
        try:
            require(by, team, Role.OWNER)
        except NotPermitted as error:
            raise NotPermitted(f"{comment.by} wrote this comment; only its writer or an owner of the team deletes it") from error
    if not Comment.objects.filter(pk=comment.pk, deleted_at=None).update(text="", deleted_at=Now()):
        raise WrongState("this comment has been deleted already")
    events.record("comment.delete", comment, run_id=comment.run_id, actor=by, after={"sample": comment.sample_id})
    comment.refresh_from_db()
