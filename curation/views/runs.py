"""The run page, and the fragment of it that refreshes itself while the run goes on."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from curation.models import Membership, Role, Run
from curation.pages.run_page import run_page
from curation.stages import running
from curation.stages.errors import NotPermitted, WrongState


def _run(request: HttpRequest, pk: int) -> Run:
    runs = Run.objects.visible_to(request.user).select_related("project__team", "dataset", "revision", "base", "engine")
    return get_object_or_404(runs, pk=pk)


def _may_start(request: HttpRequest, run: Run) -> bool:
    membership = Membership.objects.get(team=run.project.team_id, user=request.user)
    return Role(membership.role).covers(Role.ENGINEER)


@login_required
def run(request: HttpRequest, pk: int) -> HttpResponse:
    shown = _run(request, pk)
    return render(request, "curation/runs/page.html", {"page": run_page(shown, _may_start(request, shown))})


@login_required
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The same fragment that the page includes; it stops asking once the run has ended."""
    shown = _run(request, pk)
    return render(request, "curation/runs/_live.html", {"page": run_page(shown, _may_start(request, shown))})


@login_required
@require_POST
def start_iteration(request: HttpRequest, pk: int) -> HttpResponse:
    """Start the next iteration of a run in step mode. 403 for a role that may not; 409, and the page, for a run not waiting."""
    shown = _run(request, pk)
    try:
        running.start_iteration(shown, by=request.user)
    except NotPermitted as error:
        raise PermissionDenied(str(error)) from error
    except WrongState as error:
        messages.error(request, str(error))
        page = run_page(shown, _may_start(request, shown))
        return render(request, "curation/runs/page.html", {"page": page}, status=409)
    return redirect("run", pk=pk)
