"""The run page, the fragment of it that follows the run, its curves, and what a person does to a run."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from curation.access import run_of
from curation.middleware import toast
from curation.models import Iteration, Run, User
from curation.pages.run_actions import open_review
from curation.pages.run_page import run_live, run_page
from curation.pages.training_curve import curves
from curation.stages import review, running
from curation.stages.errors import WrongState
from curation.views.asked import number_asked


@login_required
@require_GET
def run(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "curation/runs/page.html", {"page": run_page(run_of(request.user, pk), request.user)})


@login_required
@require_GET
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The same fragment that the page includes."""
    return render(request, "curation/runs/_live.html", {"shown": run_live(run_of(request.user, pk), request.user)})


@login_required
@require_GET
def steps(request: HttpRequest, pk: int) -> HttpResponse:
    """The curves of the run's trainings, or of one with `?iteration=`, as JSON for charts.js."""
    iterations = Iteration.objects.filter(run=run_of(request.user, pk))
    number = number_asked(request, "iteration")
    found = iterations if number is None else iterations.filter(number=number)
    return JsonResponse({"run": pk, "curves": curves(list(found))}, headers={"Cache-Control": "no-store"})


def _approve(run: Run, by: User) -> None:
    iteration = open_review(run)
    if iteration is None:
        raise WrongState(f"run {run.pk} is {run.state} and no review of it waits for approval")
    review.approve(iteration, by)


ACTIONS: dict[str, tuple[Callable[[Run, User], None], str]] = {
    "start": (running.start_run, "The run is started."),
    "start-iteration": (running.start_iteration, "The next iteration is started."),
    "pause": (running.pause_run, "The run is paused; what is done stays."),
    "resume": (running.resume_run, "The run goes on."),
    "stop": (running.stop_run, "The run is stopped."),
    "retry": (running.retry_run, "What failed is tried again."),
    "approve": (_approve, "Approved: training begins."),
}


class RunActionConverter:
    """In addresses: the name of something that a person does to a run."""

    regex = "|".join(sorted(ACTIONS, key=len, reverse=True))

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


@login_required
@require_POST
def change(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """For htmx a toast, and the event `changed` for the page's fragments; else back to the run's page."""
    act, done = ACTIONS[action]
    act(run_of(request.user, pk), request.user)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Trigger": toast(done, changed=True)})
    messages.success(request, done)
    return redirect("run", pk=pk)
