"""What happened, in a project and in a run."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from curation.access import project_of, run_of
from curation.pages.events_page import project_events, run_events


@login_required
@require_GET
def of_project(request: HttpRequest, team: str, project: str) -> HttpResponse:
    page = project_events(project_of(request.user, team, project), request.user, dict(request.GET.lists()))
    return render(request, "curation/events/project.html", {"page": page})


@login_required
@require_GET
def of_run(request: HttpRequest, pk: int) -> HttpResponse:
    page = run_events(run_of(request.user, pk), request.user, dict(request.GET.lists()))
    return render(request, "curation/events/run.html", {"page": page})
