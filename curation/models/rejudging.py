"""An iteration's stored attempts, judged again under other rules of comparing: what would have been selected."""

from __future__ import annotations

from django.db import models

from curation.models.choices import one_of
from curation.models.datasets import Sample, SampleVersion
from curation.models.people import User
from curation.models.runs import Iteration
from curation.models.verdicts import UNKNOWN, Outcome


class RejudgingState(models.TextChoices):
    JUDGING = "judging"
    DONE = "done"
    FAILED = "failed"
    DISCARDED = "discarded"


class Rejudging(models.Model):
    """One judging anew of all verdicts of an iteration. It selects nothing and changes no verdict."""

    iteration = models.ForeignKey(Iteration, on_delete=models.CASCADE, related_name="rejudgings")
    rules = models.JSONField()  # the settings that compare (curation.stages.rejudging.RULES), all of them
    comparator = models.CharField(max_length=200)  # the version that those rules have
    state = models.CharField(max_length=10, choices=RejudgingState.choices, default=RejudgingState.JUDGING)
    total = models.PositiveIntegerField()  # verdicts, of both turns
    judged = models.PositiveIntegerField(default=0)  # so far
    counts = models.JSONField(default=dict)  # turn → outcome before → outcome now → verdicts
    error = models.TextField(blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    begun_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True)  # last sign of life of its process
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [one_of("state", RejudgingState, "rejudging")]


class ChangedVerdict(models.Model):
    """A verdict that comes out differently; one that does not has no row."""

    rejudging = models.ForeignKey(Rejudging, on_delete=models.CASCADE, related_name="changed", db_index=False)
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(SampleVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    turn = models.SmallIntegerField()
    outcome_before = models.CharField(max_length=16, choices=Outcome.choices)
    hits_before = models.SmallIntegerField()
    outcome = models.CharField(max_length=16, choices=[*Outcome.choices, (UNKNOWN, "Unknown")])
    hits = models.SmallIntegerField()
    exact_hits = models.SmallIntegerField()
    attempts = models.SmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rejudging", "version", "turn"], name="changed_verdict_unique")]
        indexes = [
            models.Index(fields=["rejudging", "turn", "outcome_before", "outcome", "id"], name="changed_verdict_by_change")
        ]
