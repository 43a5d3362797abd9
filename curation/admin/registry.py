"""What the operator registers for runs: bases and engines, through the checks that the commands use."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from curation.models import Base, Engine
from curation.stages import registering


class Registered(admin.ModelAdmin):
    """Never deleted, and a name never comes to mean something else: runs refer to it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Base)
class BaseAdmin(Registered):
    """A base is the folder that it was registered with; that folder may move, its weights may not change."""

    list_display = ("name", "path", "sha256", "created_at")
    fields = ("name", "path", "sha256")

    def get_readonly_fields(self, request: HttpRequest, obj: Base | None = None) -> tuple[str, ...]:
        return ("sha256",) if obj is None else ("name", "sha256")

    def save_model(self, request: HttpRequest, obj: Base, form: Any, change: bool) -> None:
        if change:
            registering.move_base(obj.name, obj.path, request.user)
        else:
            obj.pk = registering.register_base(obj.name, obj.path, request.user).pk


@admin.register(Engine)
class EngineAdmin(Registered):
    list_display = ("name", "kind", "options", "created_at")
    fields = ("name", "kind", "options")

    def get_readonly_fields(self, request: HttpRequest, obj: Engine | None = None) -> tuple[str, ...]:
        return () if obj is None else ("name", "kind")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """No option at all is a choice, too."""
        if db_field.name == "options":
            kwargs["required"] = False
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Engine, form: Any, change: bool) -> None:
        if change:
            registering.change_engine(obj.name, obj.options, request.user)
        else:
            obj.pk = registering.register_engine(obj.name, obj.kind, obj.options, request.user).pk
