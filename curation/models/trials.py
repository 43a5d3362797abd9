"""Trials: a question that a person puts to a model, and the turns of its adaptive self-refine (ToolACE-R §3.3, Alg. 1)."""

from __future__ import annotations

from django.db import models

from curation.models.checkpoints import Checkpoint
from curation.models.choices import one_of
from curation.models.datasets import SampleVersion
from curation.models.ordered_json import OrderedJSONField
from curation.models.people import User
from curation.models.projects import Project
from curation.models.registry import Base, Engine
from toolcalls.settings import Settings, settings_from


class TrialState(models.TextChoices):
    WAITING = "waiting"
    ANSWERING = "answering"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (TrialState.WAITING, TrialState.ANSWERING)


class Trial(models.Model):
    """One question to one model: a checkpoint's, else the base's; neither where the engine's model is its own.

    `attempt` counts its claims and is the fencing token of what its worker writes. `version` is the sample whose question it is,
    word for word, so that its truth is this question's.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="trials")
    base = models.ForeignKey(Base, null=True, on_delete=models.PROTECT, related_name="+")
    checkpoint = models.ForeignKey(Checkpoint, null=True, on_delete=models.CASCADE, related_name="+")
    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(SampleVersion, null=True, on_delete=models.PROTECT, related_name="+")
    settings = models.JSONField()
    title = models.CharField(max_length=160)  # the message in short
    question = OrderedJSONField()  # tools, messages, other, system: of toolcalls.records.Sample
    state = models.CharField(max_length=10, choices=TrialState.choices, default=TrialState.WAITING)
    attempt = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)  # when a message last went out for it
    loaded_at = models.DateTimeField(null=True)  # when the model was ready to answer
    turns = models.JSONField(default=list)  # curation.stages.trial_turns.Turn, each; so far
    agreed = models.BooleanField(null=True)  # whether it ended because two answers agree
    error = models.TextField(blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [one_of("state", TrialState, "trial")]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(state__in=["waiting", "answering"]), name="trial_open"),
            models.Index(fields=["project", "-id"], name="trial_of_project"),
        ]

    @property
    def choices(self) -> Settings:
        """What it is answered with, as the typed value; not a query."""
        return settings_from(self.settings)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN
