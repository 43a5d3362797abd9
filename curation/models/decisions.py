"""What people decide. A decision stands beside the verdict, never over it."""

from __future__ import annotations

from django.db import models

from curation.models.choices import one_of
from curation.models.datasets import Sample, SampleVersion
from curation.models.events import Event
from curation.models.people import User
from curation.models.runs import Iteration, Run


class DecisionKind(models.TextChoices):
    KEEP = "keep"  # enters training even when not selected
    DROP = "drop"  # does not enter training, nor the next iterations' sampling, until undone
    DISCUSS = "discuss"  # blocks the row, not the run
    FIX = "fix"  # the truth is corrected: the next iterations sample and train `version`, this one leaves the row out


class DecisionQuerySet(models.QuerySet["Decision"]):
    def standing(self) -> DecisionQuerySet:
        return self.filter(undone_at=None)


class Decision(models.Model):
    """On a sample (turn 0: holds for the run from then on) or on a refine pair (turn 1: holds for its iteration).

    `made_by` and `undone_by` are the operations that made and ended it, so that undoing an operation is exact. `version` is
    the corrected one of a fix, and of what is decided on the sample while a fix stands: the correction holds on.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="decisions")
    iteration = models.ForeignKey(Iteration, on_delete=models.CASCADE, related_name="decisions")
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="decisions")
    turn = models.SmallIntegerField()
    kind = models.CharField(max_length=8, choices=DecisionKind.choices)
    version = models.ForeignKey(SampleVersion, null=True, on_delete=models.PROTECT, related_name="+")
    why = models.TextField(blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="decisions")
    at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)
    made_by = models.ForeignKey(Event, null=True, on_delete=models.PROTECT, related_name="decisions_made")
    undone_by = models.ForeignKey(Event, null=True, on_delete=models.PROTECT, related_name="decisions_undone")

    objects = DecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "sample"], condition=models.Q(turn=0, undone_at=None), name="decision_one_sample"
            ),
            models.UniqueConstraint(
                fields=["iteration", "sample"], condition=models.Q(turn=1, undone_at=None), name="decision_one_pair"
            ),
            one_of("kind", DecisionKind, "decision"),
            models.CheckConstraint(
                condition=models.Q(version=None) & ~models.Q(kind="fix") | models.Q(version__isnull=False, turn=0),
                name="decision_version_of_fix",
            ),
        ]
