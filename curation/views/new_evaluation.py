"""The form that has a model evaluated by itself."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from curation.access import project_of
from curation.models import Project, Role, Run, User
from curation.pages.new_evaluation_page import TypedEvaluation, new_evaluation_page
from curation.stages import evaluating, running
from curation.stages.errors import InputError
from curation.stages.people import require
from curation.views.new_run import revision_typed
from curation.views.trials import model_typed, number_typed

NAMES = ("model", "engine", "revision", "turns", "max_new_tokens", "name")


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, team: str, project: str) -> HttpResponse:
    """For engineers. `?model=` and `?revision=` choose these on the form."""
    shown = project_of(request.user, team, project)
    require(request.user, shown.team, Role.ENGINEER)
    given = request.POST if request.method == "POST" else request.GET
    typed = TypedEvaluation(**{name: given.get(name, "")[:200] for name in NAMES})
    problem = ""
    if request.method == "POST":
        try:
            run = _begun(shown, typed, request.user)
        except InputError as error:
            problem = str(error)
        else:
            messages.success(request, f"{run.name} is started.")
            return redirect("run", run.pk)
    page = new_evaluation_page(shown, typed, problem)
    return render(request, "curation/evaluations/new.html", {"page": page}, status=422 if problem else 200)


@transaction.atomic
def _begun(project: Project, typed: TypedEvaluation, by: User) -> Run:
    model = model_typed(project, typed.model, typed.engine)
    revision = revision_typed(project, typed.revision)
    numbers = {
        "refine_turns": number_typed(typed.turns, "refine turns"),
        "max_new_tokens": number_typed(typed.max_new_tokens, "new tokens"),
    }
    settings = {name: number for name, number in numbers.items() if number is not None}
    run = evaluating.create_evaluation(project, revision, model, settings, name=typed.name[:120], by=by)
    running.start_run(run, by)
    return run
