"""What was exported: one row per stream, with the manifest of exactly the bytes that were sent."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from curation.models.choices import one_of
from curation.models.people import User
from curation.models.runs import Iteration


class ExportKind(models.TextChoices):
    TRAINING_SET = "training_set"
    POOL = "pool"  # the samples of an iteration that a filter finds, with their verdicts
    PAIRS = "pairs"  # refine pairs, likewise


class ExportState(models.TextChoices):
    STREAMING = "streaming"
    COMPLETE = "complete"
    ABORTED = "aborted"  # the reader went away, or the stream failed


class ExportQuerySet(models.QuerySet["Export"]):
    def streaming(self) -> ExportQuerySet:
        return self.filter(state=ExportState.STREAMING)


class Export(models.Model):
    iteration = models.ForeignKey(Iteration, on_delete=models.CASCADE, related_name="exports")
    kind = models.CharField(max_length=12, choices=ExportKind.choices)
    format = models.CharField(max_length=16)
    filters = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ExportState.choices, default=ExportState.STREAMING)
    rows = models.PositiveIntegerField(null=True)
    bytes = models.PositiveBigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(default=dict)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    heard_at = models.DateTimeField(db_default=Now())  # when its process last gave out a block, give or take some seconds
    ended_at = models.DateTimeField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        constraints = [one_of("kind", ExportKind, "export"), one_of("state", ExportState, "export")]
        indexes = [models.Index(fields=["heard_at"], condition=models.Q(state="streaming"), name="export_streaming")]
