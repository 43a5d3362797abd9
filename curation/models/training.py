"""What an iteration trains on, frozen, and how its training went."""

from __future__ import annotations

from django.db import models

from curation.models.choices import one_of
from curation.models.datasets import SampleVersion
from curation.models.runs import Iteration


class TrainingKind(models.TextChoices):
    DIRECT = "direct"  # ⟨q, T⟩ → A
    REFINE = "refine"  # ⟨q, T⟩, A₁, r → A


class TrainingSet(models.Model):
    """A frozen list of rows with its hash; the checkpoint's meta.json repeats the hash."""

    iteration = models.OneToOneField(Iteration, on_delete=models.CASCADE, related_name="training_set")
    sha256 = models.CharField(max_length=64)
    direct = models.PositiveIntegerField()
    refine = models.PositiveIntegerField()
    too_long = models.PositiveIntegerField(null=True)  # rows left out by the trainer; null before training
    uri = models.CharField(max_length=255, blank=True)  # of the rows as JSON lines, relative to the artifacts' root
    file_sha256 = models.CharField(max_length=64, blank=True)
    bytes = models.PositiveBigIntegerField(null=True)
    tokens_uri = models.CharField(max_length=255, blank=True)  # of what the trainer made of each row: ids, labels, pieces
    point_uri = models.CharField(max_length=255, blank=True, default="", db_default="")  # of the last point in the store, if any
    created_at = models.DateTimeField(auto_now_add=True)


class TrainingRow(models.Model):
    training_set = models.ForeignKey(TrainingSet, on_delete=models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    version = models.ForeignKey(SampleVersion, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=TrainingKind.choices)
    forced = models.BooleanField(default=False)  # entered by a person's keep, not by selection

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["training_set", "position"], name="training_row_position_unique"),
            models.UniqueConstraint(fields=["training_set", "version", "kind"], name="training_row_unique"),
            one_of("kind", TrainingKind, "training_row"),
        ]


class TrainingStep(models.Model):
    """One optimiser step, as the trainer reported it. A training that goes on from a point writes the steps after it again."""

    iteration = models.ForeignKey(Iteration, on_delete=models.CASCADE, related_name="steps")
    step = models.PositiveIntegerField()
    steps = models.PositiveIntegerField()
    loss = models.FloatField()  # nats per label token
    learning_rate = models.FloatField()
    grad_norm = models.FloatField(null=True)
    tokens = models.PositiveBigIntegerField()  # real tokens so far
    tokens_per_second = models.FloatField()
    memory_bytes = models.PositiveBigIntegerField(null=True)  # most that was held so far; null: not reported
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["iteration", "step"], name="training_step_unique")]
