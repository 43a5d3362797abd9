"""What a checkpoint scores on the held-out split: direct and adaptive, from one trace per sample."""

from __future__ import annotations

from django.db import models

from curation.models.datasets import SampleVersion
from curation.models.runs import Iteration


class Evaluation(models.Model):
    iteration = models.OneToOneField(Iteration, on_delete=models.CASCADE, related_name="evaluation")
    checkpoint = models.ForeignKey("Checkpoint", null=True, on_delete=models.PROTECT, related_name="+")  # null: the base
    comparator = models.CharField(max_length=80)
    total = models.PositiveIntegerField()
    direct_right = models.PositiveIntegerField()
    adaptive_right = models.PositiveIntegerField()
    mean_turns = models.FloatField()  # mean i at which adaptive self-refine stops (Alg. 1)
    created_at = models.DateTimeField(auto_now_add=True)


class EvaluationItem(models.Model):
    """One held-out sample's trace A₀ … Aₙ (raw texts) and what it scores."""

    iteration = models.ForeignKey(Iteration, on_delete=models.CASCADE, related_name="evaluation_items")
    version = models.ForeignKey(SampleVersion, on_delete=models.PROTECT, related_name="+")
    trace = models.JSONField()
    direct_right = models.BooleanField()
    adaptive_right = models.BooleanField()
    turns = models.PositiveSmallIntegerField()
    prompt_hash = models.CharField(max_length=64)  # of the direct turn

    class Meta:
        constraints = [models.UniqueConstraint(fields=["iteration", "version"], name="evaluation_item_unique")]
