"""Commenting: what people say to each other about a sample of a run. It decides nothing."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from curation.models import Comment, Role, Run, Sample, User
from curation.stages import events
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.people import require
from curation.stages.texts import check_text

LONGEST = 5000  # characters


@transaction.atomic
def comment(run: Run, sample: Sample, text: str, by: User) -> Comment:
    """Say something about any sample of the run's revision, a held-out one too. Raises InputError for a text that is none."""
    require(by, run.project.team, Role.REVIEWER)
    if not run.revision.entries.filter(version__sample=sample).exists():
        raise InputError(f"sample {sample} is not one of run {run}; choose one of its data set's revision")
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
