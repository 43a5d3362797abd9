"""Answers that somebody imported, until the workers have judged them, and the files that they came in."""

from __future__ import annotations

from django.db import models

from curation.models.choices import one_of
from curation.models.people import User
from curation.models.runs import Run
from curation.models.shards import Stage


class AnswerFileState(models.TextChoices):
    IMPORTING = "importing"  # or waiting for the run's files before it
    DONE = "done"
    FAILED = "failed"  # nothing of it was imported; `error` says why


class AnswerFile(models.Model):
    """A file of answers that somebody sent to a run. `uri` is relative to the uploads' root; the file goes when it was read."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="answer_files")
    file_name = models.CharField(max_length=255)
    uri = models.CharField(max_length=255)
    bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    options = models.JSONField(default=dict)  # of importing: format, attempt, skip_errors, allow_missing, start_over
    state = models.CharField(max_length=10, choices=AnswerFileState.choices, default=AnswerFileState.IMPORTING)
    rows = models.PositiveIntegerField(default=0)  # lines read so far
    report = models.JSONField(default=dict)  # what the import did
    error = models.TextField(blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    sent_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True)  # last sign of life of its import
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [one_of("state", AnswerFileState, "answer_file")]


class ImportedAnswer(models.Model):
    """One attempt that a stage waits for, as a file had it; it goes when the stage is over. `seed` −1: nobody knows."""

    pk = models.CompositePrimaryKey("stage_id", "version_id", "attempt")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, db_index=False, related_name="+")
    version_id = models.BigIntegerField()
    attempt = models.SmallIntegerField()  # −1: the extra greedy A₁
    text = models.TextField()
    finish_reason = models.CharField(max_length=8)
    prompt_tokens = models.IntegerField()
    completion_tokens = models.IntegerField()
    seed = models.BigIntegerField()
