"""Trained models: the adapter is the published artifact, the merged model the next iteration's base."""

from __future__ import annotations

from django.db import models

from curation.models.choices import one_of
from curation.models.runs import Iteration, Run


class CheckpointKind(models.TextChoices):
    ADAPTER = "adapter"
    MERGED = "merged"  # base and adapter in one; or, where every weight was trained and there is no adapter, the model


class Checkpoint(models.Model):
    """`uri` is its address in the store, empty where every host merges it for itself; `parent` is the merged checkpoint it was
    trained on, null for the base."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="checkpoints")
    iteration = models.ForeignKey(Iteration, on_delete=models.CASCADE, related_name="checkpoints")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    kind = models.CharField(max_length=8, choices=CheckpointKind.choices)
    uri = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    meta = models.JSONField(default=dict)
    kept = models.BooleanField(default=False, db_default=False)  # a person chose it, so no sweep takes its files
    removed_at = models.DateTimeField(null=True)  # when a sweep gave its files up
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["iteration", "kind"], name="checkpoint_kind_unique"),
            one_of("kind", CheckpointKind, "checkpoint"),
        ]
