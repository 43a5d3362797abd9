"""Rows that only the stages write, for looking at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from curation import models


class ReadOnly(admin.ModelAdmin):
    """No row of these is added, changed or deleted here."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.Event)
class EventAdmin(ReadOnly):
    list_display = ("at", "verb", "subject_kind", "subject_id", "team", "actor", "why")
    list_filter = ("verb",)
    list_select_related = ("team", "actor")
    ordering = ("-id",)


@admin.register(models.Decision)
class DecisionAdmin(ReadOnly):
    list_display = ("id", "run", "iteration_id", "sample_id", "turn", "kind", "by", "undone_at")
    list_filter = ("kind",)
    list_select_related = ("run", "by")
    raw_id_fields = ("run",)


@admin.register(models.ApiToken)
class ApiTokenAdmin(ReadOnly):
    list_display = ("hint", "name", "user", "scope", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = ("scope",)
    list_select_related = ("user",)
    exclude = ("token_sha256",)


@admin.register(models.Invitation)
class InvitationAdmin(ReadOnly):
    list_display = ("team", "role", "note", "created_by", "expires_at", "accepted_by", "revoked_at")
    list_select_related = ("team", "created_by", "accepted_by")
    exclude = ("token_sha256",)


@admin.register(models.Project)
class ProjectAdmin(ReadOnly):
    list_display = ("name", "team", "slug", "created_at")
    list_select_related = ("team",)


@admin.register(models.Dataset)
class DatasetAdmin(ReadOnly):
    list_display = ("name", "project")
    list_select_related = ("project",)


@admin.register(models.DatasetRevision)
class DatasetRevisionAdmin(ReadOnly):
    list_display = ("dataset", "number", "train", "heldout", "sha256")
    list_select_related = ("dataset",)


@admin.register(models.Checkpoint)
class CheckpointAdmin(ReadOnly):
    list_display = ("id", "run", "iteration_id", "kind", "uri", "sha256")
    list_select_related = ("run",)


@admin.register(models.Shard)
class ShardAdmin(ReadOnly):
    list_display = ("id", "stage", "number", "state", "attempt", "owner", "closed_at")
    list_filter = ("state",)
    list_select_related = ("stage",)


@admin.register(models.Comment)
class CommentAdmin(ReadOnly):
    list_display = ("id", "run", "sample_id", "by", "at", "deleted_at")
    list_select_related = ("run", "by")


@admin.register(models.Upload)
class UploadAdmin(ReadOnly):
    list_display = ("file_name", "project", "state", "created_by", "created_at")
    list_filter = ("state",)
    list_select_related = ("project", "created_by")


@admin.register(models.AnswerFile)
class AnswerFileAdmin(ReadOnly):
    list_display = ("file_name", "run", "state", "by", "sent_at")
    list_filter = ("state",)
    list_select_related = ("run", "by")


@admin.register(models.Export)
class ExportAdmin(ReadOnly):
    list_display = ("id", "iteration", "kind", "format", "state", "by", "rows", "bytes", "started_at")
    list_filter = ("kind", "state")
    list_select_related = ("iteration", "by")
