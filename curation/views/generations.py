"""Answers from elsewhere for a run that waits for them."""

from __future__ import annotations

from django_htmx.http import HttpResponseClientRedirect

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from curation.access import run_of
from curation.models import Run, User
from curation.pages.generations_page import generations_page
from curation.stages import answer_files, imported
from curation.stages.answer_files import AnswerOptions
from curation.stages.errors import InputError


@login_required
@require_http_methods(["GET", "POST"])
def generations(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; of it only the panel for htmx, which sends the form and asks again while a file is imported."""
    run = run_of(request.user, pk)
    options, problem = AnswerOptions(), ""
    if request.method == "POST":
        try:
            options = answer_files.options_from(request.POST)
            _receive(request, run, options, request.user)
        except InputError as error:
            problem = str(error)
        if not problem and not request.htmx:
            return redirect("run_generations", pk)
        options = options if problem else AnswerOptions()
    page = generations_page(run, request.user, options, problem)
    template = "curation/generations/_panel.html" if request.htmx else "curation/generations/page.html"
    return render(request, template, {"page": page}, status=422 if problem else 200)


def _receive(request: HttpRequest, run: Run, options: AnswerOptions, by: User) -> None:
    imported.expecting(run, by)
    file = request.FILES.get("file")
    if file is None:
        raise InputError("choose a file to send")
    answer_files.receive(run, file.name or "", file.chunks(), options, by)


@login_required
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing more comes: the run goes on with the attempts that are here."""
    imported.import_generations(run_of(request.user, pk), [], allow_missing=True, by=request.user)
    return HttpResponseClientRedirect(f"/runs/{pk}/") if request.htmx else redirect("run", pk)
