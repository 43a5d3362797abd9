"""The form of a new run."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from curation.access import measuring_of, project_of, run_of
from curation.models import Base, Benchmark, DatasetRevision, Engine, Project, Role, Run, User
from curation.pages.new_run_page import first_ticked, first_typed, new_run_page, settings_typed
from curation.stages import running
from curation.stages.copying import storable
from curation.stages.errors import InputError
from curation.stages.people import require
from curation.views.asked import number_asked
from toolcalls.settings import settings_from

UNCHANGED = "Nothing was created: see what is wrong below."


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, team: str, project: str) -> HttpResponse:
    """For engineers. With `?like=` the form begins with the settings of that run, if it is of the same project; with
    `?estimate=` with those of an estimate."""
    shown = project_of(request.user, team, project)
    require(request.user, shown.team, Role.ENGINEER)
    if request.method == "POST":
        return _create(request, shown)
    number = number_asked(request, "like")
    like = None if number is None else run_of(request.user, number)
    like = like if like is not None and like.project_id == shown.pk and not like.only_evaluates else None
    number = number_asked(request, "estimate")
    estimated = None if number is None else measuring_of(request.user, team, project, number)
    page = new_run_page(shown, first_typed(estimated or like), like=like, benchmarks=first_ticked(estimated or like))
    return render(request, "curation/runs/new.html", {"page": page})


def _create(request: HttpRequest, project: Project) -> HttpResponse:
    typed, chosen = request.POST.dict(), request.POST.getlist("benchmark")
    values, errors = settings_typed(typed)
    problem = UNCHANGED if errors else ""
    if not errors:
        try:
            run = _created(project, typed, chosen, values, request.user)
        except InputError as error:
            problem = str(error)
        else:
            messages.success(request, f"{run.name} is {'started' if typed.get('start') == 'true' else 'created'}.")
            return redirect("run", run.pk)
    page = new_run_page(project, typed, errors, problem, benchmarks=chosen)
    return render(request, "curation/runs/new.html", {"page": page}, status=422)


@transaction.atomic
def _created(project: Project, typed: dict[str, str], chosen: list[str], values: dict[str, Any], by: User) -> Run:
    name, mode, benchmarks = typed.get("name", "")[:120], typed.get("mode", ""), [benchmark_typed(project, one) for one in chosen]
    made_of, settings = things_typed(project, typed), settings_from(values)
    run = running.create_run(project, *made_of, settings, benchmarks=benchmarks, name=name, mode=mode, by=by)
    if typed.get("start") == "true":
        running.start_run(run, by)
    return run


def things_typed(project: Project, typed: dict[str, str]) -> tuple[DatasetRevision, Base, Engine]:
    """What the form says that the run is of. Raises InputError."""
    revision = revision_typed(project, typed.get("revision", ""))
    base = _named(Base, typed.get("base", ""), "a base")
    return revision, base, _named(Engine, typed.get("engine", ""), "an engine")


def benchmark_typed(project: Project, typed: str) -> Benchmark:
    """One of the project's, by its number. Raises InputError."""
    held = Benchmark.objects.filter(revision__dataset__project=project).select_related("revision__dataset")
    found = held.filter(pk=int(typed)).first() if typed.isascii() and typed.isdigit() and len(typed) < 19 else None
    if found is None:
        raise InputError(f"choose benchmarks of {project}")
    return found


def revision_typed(project: Project, typed: str) -> DatasetRevision:
    """One of the project's data sets, benchmarks among them, by its number. Raises InputError."""
    revisions = DatasetRevision.objects.filter(dataset__project=project).select_related("dataset")
    found = revisions.filter(pk=int(typed)).first() if typed.isascii() and typed.isdigit() and len(typed) < 19 else None
    if found is None:
        raise InputError(f"choose a revision of a data set of {project}")
    return found


def _named(kind: type[Base] | type[Engine], name: str, what: str) -> Any:
    found = kind.objects.filter(name=storable(name)).first()
    if found is None:
        raise InputError(f"choose {what} that the operator has registered")
    return found
