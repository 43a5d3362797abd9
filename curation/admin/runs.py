"""Runs and iterations: read-only, with the moves that an operator may make."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from curation.admin.record import ReadOnly
from curation.models import Iteration, Run
from curation.stages import review, running
from curation.stages.errors import InputError, NotPermitted, WrongState


def _each(move: Callable[..., Any], admin_site: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    """Move one after the other; a refusal is told and keeps none of the others back."""
    for thing in queryset:
        try:
            move(thing, by=request.user)
        except (InputError, NotPermitted, WrongState) as error:
            messages.error(request, f"Not done: {error}")
        else:
            messages.success(request, f"Done: {thing}")


def _action(name: str, words: str, move: Callable[..., Any]) -> Callable[..., None]:
    action = partial(_each, move)
    action.__name__ = name  # type: ignore[attr-defined]
    return admin.action(description=words)(action)


@admin.register(Run)
class RunAdmin(ReadOnly):
    list_display = ("name", "project", "dataset", "base", "mode", "state", "why")
    list_filter = ("state", "mode")
    list_select_related = ("project", "dataset", "base")
    ordering = ("-id",)
    actions = (
        _action("start", "Start", running.start_run),
        _action("start_iteration", "Start the next iteration (step mode)", running.start_iteration),
        _action("pause", "Pause", running.pause_run),
        _action("resume", "Resume", running.resume_run),
        _action("retry", "Retry what failed", running.retry_run),
        _action("stop", "Stop for good", running.stop_run),
    )


@admin.register(Iteration)
class IterationAdmin(ReadOnly):
    list_display = ("run", "number", "state", "pool", "selected_direct", "selected_refine", "opened_at", "closed_at")
    list_filter = ("state",)
    list_select_related = ("run",)
    ordering = ("-id",)
    actions = (_action("approve", "Approve the review: train", review.approve),)
