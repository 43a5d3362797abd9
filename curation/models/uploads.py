"""Files that people upload, on their way to a data set's next revision."""

from __future__ import annotations

from django.db import models

from curation.models.choices import one_of
from curation.models.datasets import DatasetRevision
from curation.models.people import User
from curation.models.projects import Project


class UploadState(models.TextChoices):
    RECEIVED = "received"  # stored; the preview is shown
    IMPORTING = "importing"
    DONE = "done"
    FAILED = "failed"  # nothing was imported; `error` says why
    DISCARDED = "discarded"


class Upload(models.Model):
    """`uri` is relative to the uploads' root; the file goes once it is imported or discarded."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="uploads")
    dataset = models.CharField(max_length=120)  # the name of the data set that it becomes a revision of
    file_name = models.CharField(max_length=255)
    uri = models.CharField(max_length=255)
    bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    options = models.JSONField(default=dict)  # of importing: format, split, heldout_share, append, skip_errors
    state = models.CharField(max_length=10, choices=UploadState.choices, default=UploadState.RECEIVED)
    rows = models.PositiveIntegerField(default=0)  # read so far
    report = models.JSONField(default=dict)  # what the import did
    error = models.TextField(blank=True)
    revision = models.ForeignKey(DatasetRevision, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True)  # last sign of life of its import
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [one_of("state", UploadState, "upload")]
