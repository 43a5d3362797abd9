"""The first page, a new project, and a project's runs."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from curation.access import project_of, team_of
from curation.pages.home_page import home_page, teams_to_create_in
from curation.pages.project_page import project_page
from curation.stages.errors import InputError
from curation.stages.projects import create_project
from curation.views.asked import number_asked


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "curation/projects/home.html", {"page": home_page(request.user)})


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    context = {"teams": teams_to_create_in(request.user), "team": request.GET.get("team", "")}
    if request.method == "GET":
        return render(request, "curation/projects/new.html", context)
    team, name = team_of(request.user, request.POST.get("team", "")), request.POST.get("name", "")
    try:
        project = create_project(team, name, request.user)
    except InputError as error:
        context |= {"problem": str(error), "name": name, "team": team.slug}
        return render(request, "curation/projects/new.html", context, status=422)
    return redirect("project", team.slug, project.slug)


@login_required
@require_GET
def project(request: HttpRequest, team: str, project: str) -> HttpResponse:
    shown = project_of(request.user, team, project)
    page = project_page(shown, request.user, number_asked(request, "before"))
    return render(request, "curation/projects/page.html", {"page": page})
