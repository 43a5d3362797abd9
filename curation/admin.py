"""The admin site: users, teams, memberships and what the operator registers may be edited; the record is read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from curation import models


class ReadOnly(admin.ModelAdmin):
    """Rows of the record are written by the stages only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MembershipInline(admin.TabularInline):
    model = models.Membership
    extra = 0


@admin.register(models.User)
class UserAdmin(admin.ModelAdmin):
    list_display = ("email", "name", "is_active", "is_staff")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_staff", "is_superuser")
    inlines = (MembershipInline,)


@admin.register(models.Team)
class TeamAdmin(admin.ModelAdmin):
    list_display = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)


@admin.register(models.Engine)
class EngineAdmin(admin.ModelAdmin):
    list_display = ("name", "kind")


@admin.register(models.Run)
class RunAdmin(ReadOnly):
    list_display = ("name", "project", "dataset", "base", "mode", "state")
    list_filter = ("state", "mode")
    list_select_related = ("project", "dataset", "base")


@admin.register(models.Event)
class EventAdmin(ReadOnly):
    list_display = ("at", "verb", "subject_kind", "subject_id", "actor", "why")
    list_filter = ("verb",)
    list_select_related = ("actor",)


for model in (models.Base, models.Project, models.Dataset, models.DatasetRevision, models.Checkpoint):
    admin.site.register(model, ReadOnly)
admin.site.unregister(Group)
