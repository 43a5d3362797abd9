"""What models wrote: list-partitioned by iteration, keyed by (iteration, sample version, turn, attempt)."""

from __future__ import annotations

from django.db import models

from curation.models.runs import Iteration


class Generation(models.Model):
    """One attempt. Nothing refers to it and a run is deleted by dropping its partitions, so it has no foreign key constraints.

    The prompt is rebuilt, not stored; `checkpoint_id` is the merged checkpoint that wrote it, null for the base.
    """

    pk = models.CompositePrimaryKey("iteration_id", "version_id", "turn", "attempt")
    iteration = models.ForeignKey(Iteration, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    version_id = models.BigIntegerField()
    turn = models.SmallIntegerField()  # 0 direct, 1 refinement of A₁
    attempt = models.SmallIntegerField()
    text = models.TextField()
    calls = models.JSONField(null=True)
    answer_key = models.UUIDField()  # 16-byte hash of the canonical answer
    max_param_diff = models.SmallIntegerField(null=True)
    reason = models.CharField(max_length=16)
    finish_reason = models.CharField(max_length=8)
    prompt_tokens = models.IntegerField()
    completion_tokens = models.IntegerField()
    seed = models.BigIntegerField()
    prompt_hash = models.CharField(max_length=64)
    checkpoint_id = models.BigIntegerField(null=True)
    comparator = models.CharField(max_length=80)

    class Meta:
        db_table = "curation_generation"
