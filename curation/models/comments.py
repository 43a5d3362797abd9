"""What people say to each other about a sample of a run."""

from __future__ import annotations

from django.db import models

from curation.models.datasets import Sample
from curation.models.people import User
from curation.models.runs import Run


class Comment(models.Model):
    """Plain text. A deleted comment keeps its place; its text is gone."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="comments")
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="comments")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="comments")
    text = models.TextField()
    at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["run", "sample", "id"], name="comment_of_sample")]
