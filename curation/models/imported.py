"""Answers that somebody imported, until the workers have judged them."""

from __future__ import annotations

from django.db import models

from curation.models.shards import Stage


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
