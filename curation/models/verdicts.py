"""What a turn's k attempts say of a sample, and the refine pair made of its first answer."""

from __future__ import annotations

from django.db import models

from curation.models.datasets import SampleVersion
from curation.models.runs import Iteration


class VerdictQuerySet(models.QuerySet["Verdict"]):
    def direct(self) -> VerdictQuerySet:
        return self.filter(turn=0)

    def refine(self) -> VerdictQuerySet:
        return self.filter(turn=1)

    def selected(self) -> VerdictQuerySet:
        """Eq. 2 (direct) and Eq. 3 (refine): one of the attempts approaches the truth; samples left out by policy never."""
        return self.filter(approximate_hits__gt=0, excluded=False)


class Verdict(models.Model):
    """Carries what a list filters and sorts on, so that a list page reads no generation."""

    iteration = models.ForeignKey(Iteration, on_delete=models.CASCADE, related_name="verdicts")
    version = models.ForeignKey(SampleVersion, on_delete=models.PROTECT, related_name="verdicts")
    turn = models.SmallIntegerField()
    attempts = models.SmallIntegerField()
    exact_hits = models.SmallIntegerField()
    approximate_hits = models.SmallIntegerField()
    first_hit = models.SmallIntegerField(null=True)
    reason = models.CharField(max_length=16, blank=True)
    reasons = models.JSONField(default=dict)
    other_answer = models.TextField(null=True)
    other_count = models.SmallIntegerField(default=0)
    excluded = models.BooleanField(default=False)  # the truth calls nothing and no_call_policy is exclude
    category = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=16, blank=True)
    calls = models.PositiveSmallIntegerField(null=True)
    comparator = models.CharField(max_length=80)
    checkpoint = models.ForeignKey("Checkpoint", null=True, on_delete=models.PROTECT, related_name="+")

    objects = VerdictQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["iteration", "version", "turn"], name="verdict_unique"),
            models.CheckConstraint(
                condition=models.Q(exact_hits__lte=models.F("approximate_hits"), approximate_hits__lte=models.F("attempts")),
                name="verdict_hits_add_up",
            ),
        ]


class RefinePair(models.Model):
    """⟨q, T⟩, A₁, r → A of one sample in one iteration (Eq. 3); its verdict is the refine turn's."""

    iteration = models.ForeignKey(Iteration, on_delete=models.CASCADE, related_name="pairs")
    version = models.ForeignKey(SampleVersion, on_delete=models.PROTECT, related_name="+")
    first_answer = models.TextField()  # A₁: attempt 0 of the direct turn, raw
    usable = models.BooleanField()  # false: empty or truncated (no_usable_first_answer), so no refinement was sampled
    identical_exact = models.BooleanField()  # A₁ = A as calls
    identical_text = models.BooleanField()  # A₁ = A as text

    class Meta:
        constraints = [models.UniqueConstraint(fields=["iteration", "version"], name="pair_unique")]
