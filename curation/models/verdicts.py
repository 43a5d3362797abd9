"""What a turn's k attempts say of a sample, and the refine pair made of its first answer."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from curation.models.choices import one_of
from curation.models.datasets import Sample, SampleVersion
from curation.models.runs import Iteration


class Outcome(models.TextChoices):
    """A verdict in one word, to filter by: its best hit, else the reason of its nearest attempt."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    PARAM_MISMATCH = "param_mismatch"
    TOO_MANY_CALLS = "too_many_calls"
    WRONG_COUNT = "wrong_count"
    WRONG_TOOL = "wrong_tool"
    UNPARSABLE = "unparsable"
    NOT_A_CALL = "not_a_call"
    TRUNCATED = "truncated"
    TOO_LONG = "too_long"
    EXCLUDED = "excluded"  # the truth calls nothing and no_call_policy is exclude


UNKNOWN = "unknown"  # outcome of a re-judging for which the attempts do not suffice: a censored verdict without its hit


class Change(models.TextChoices):
    """How far A₁ is from A, of a refine pair."""

    STOP = "stop"  # A₁ = A
    SMALL = "small"  # A₁ ≈ A, not =
    LARGE = "large"


class TurnVerdict(models.Model):
    """The judgement of one turn's k attempts (Eq. 2 and Eq. 3)."""

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
    comparator = models.CharField(max_length=80)
    censored = models.BooleanField(default=False, db_default=False)  # fewer than k attempts: it stopped at its first hit

    class Meta:
        abstract = True


class VerdictQuerySet(models.QuerySet["Verdict"]):
    def direct(self) -> VerdictQuerySet:
        return self.filter(turn=0)

    def refine(self) -> VerdictQuerySet:
        return self.filter(turn=1)

    def selected(self) -> VerdictQuerySet:
        """Eq. 2 (direct) and Eq. 3 (refine): one of the attempts approaches the truth; samples left out by policy never."""
        return self.filter(approximate_hits__gt=0, excluded=False)


SEPARATOR = "\x1f"  # in Verdict.facets
CLOSED = ("outcome", "approximate_hits", "decision", "change", "calls")  # columns whose values never hold it


def joined_facets() -> models.Func:
    """What `Verdict.facets` holds: those columns; then the length of the language, which says where in the rest it ends and the
    category begins, whatever is in either. `split_facets` reads it."""
    parts = [f"coalesce({column}::text, '')" for column in CLOSED] + ["char_length(language)::text", "language || category"]
    separated = f" || '{SEPARATOR}' || ".join(parts)
    return models.Func(template=f"({separated})", output_field=models.TextField())


def split_facets(joined: str) -> dict[str, str | int | None]:
    """The values of a `Verdict.facets` by the names of their columns."""
    *closed, length, rest = joined.split(SEPARATOR, len(CLOSED) + 1)
    values: dict[str, str | int | None] = dict(zip(CLOSED, closed, strict=True))
    values |= {"language": rest[: int(length)], "category": rest[int(length) :]}
    return values | {"approximate_hits": int(closed[1]), "calls": int(closed[4]) if closed[4] else None}


class Verdict(TurnVerdict):
    """Carries what a list filters and sorts on, so that a list page reads no generation.

    `decision` repeats the standing decision on the sample (turn 0) or on its pair (turn 1); curation.stages.review writes both.
    `facets` repeats what is counted, because many rows are grouped by one column sooner than by seven; Postgres writes it.
    """

    iteration = models.ForeignKey(Iteration, on_delete=models.CASCADE, related_name="verdicts", db_index=False)
    version = models.ForeignKey(SampleVersion, on_delete=models.PROTECT, related_name="verdicts", db_index=False)
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="verdicts")
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    category = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=16, blank=True)
    calls = models.PositiveSmallIntegerField(null=True)
    tools = ArrayField(models.TextField(), default=list)  # names of those that the truth calls (judging.tool_names)
    decision = models.CharField(max_length=8, blank=True)
    change = models.CharField(max_length=8, blank=True, choices=Change.choices)  # turn 1 only
    approach = models.TextField(default="")  # what another k or tolerance is told from: curation.stages.approaches
    checkpoint = models.ForeignKey("Checkpoint", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    facets = models.GeneratedField(expression=joined_facets(), output_field=models.TextField(), db_persist=True)

    objects = VerdictQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["iteration", "version", "turn"], name="verdict_unique"),
            models.CheckConstraint(
                condition=models.Q(exact_hits__lte=models.F("approximate_hits"), approximate_hits__lte=models.F("attempts")),
                name="verdict_hits_add_up",
            ),
            one_of("outcome", Outcome, "verdict"),
        ]
        # One holds all that facets are counted by and lists filter on: whatever is chosen, it is walked, in the order of pages,
        # and no verdict is read that is not shown. More of them would each be written anew with every decision.
        indexes = [
            models.Index(
                fields=["iteration", "turn", "id"],
                include=[
                    "version",
                    "sample",
                    "outcome",
                    "approximate_hits",
                    "other_count",
                    "category",
                    "language",
                    "calls",
                    "tools",
                    "decision",
                    "change",
                    "approach",
                    "facets",
                ],
                name="verdict_of_turn",
            ),
            models.Index(fields=["iteration", "turn", "approximate_hits", "id"], name="verdict_by_hits"),
            models.Index(fields=["iteration", "turn", "other_count", "id"], name="verdict_by_other_count"),
            models.Index(
                fields=["iteration", "turn", "decision", "id"], condition=~models.Q(decision=""), name="verdict_by_decision"
            ),
        ]


class Rejudgement(TurnVerdict):
    """What the attempts of an iteration come to under a truth that a person has corrected since; it selects nothing."""

    iteration = models.ForeignKey(Iteration, on_delete=models.CASCADE, related_name="rejudgements")
    version = models.ForeignKey(SampleVersion, on_delete=models.PROTECT, related_name="+")  # the corrected one
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="rejudgements")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["iteration", "version", "turn"], name="rejudgement_unique")]


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
