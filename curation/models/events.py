"""What happened: one row per operation, never edited."""

from __future__ import annotations

from django.db import models

from curation.models.people import Team, User


class Event(models.Model):
    """Who did what to which thing, from which state to which, and why. `actor` is null when the loop did it by itself."""

    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="events", db_index=False)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="events")
    verb = models.CharField(max_length=40)  # e.g. "run.start", "shard.return"
    subject_kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    run_id = models.BigIntegerField(null=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    why = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["run_id", "id"], name="event_of_run"),
            models.Index(fields=["team", "id"], name="event_of_team"),
        ]


class Brief(models.Func):
    """An event's JSON without its lists of samples, which may be as long as the pool."""

    template = "(%(expressions)s - 'samples' - 'decisions')"
    output_field = models.JSONField()
