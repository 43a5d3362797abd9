"""The data sets of a project, and one of them with its samples."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from curation.access import dataset_of, project_of
from curation.attachments import Attachment
from curation.pages.dataset_page import dataset_page
from curation.pages.datasets_page import datasets_page
from curation.stages.revision_lines import revision_lines


@login_required
@require_GET
def datasets(request: HttpRequest, team: str, project: str) -> HttpResponse:
    page = datasets_page(project_of(request.user, team, project), request.user)
    return render(request, "curation/datasets/list.html", {"page": page})


@login_required
@require_GET
def dataset(request: HttpRequest, pk: int) -> HttpResponse:
    page = dataset_page(dataset_of(request.user, pk), request.user, dict(request.GET.lists()))
    return render(request, "curation/datasets/page.html", {"page": page})


@login_required
@require_GET
def download(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """A revision as JSON lines."""
    shown = dataset_of(request.user, pk)
    revision = shown.revisions.filter(number=number).first()
    if revision is None:
        raise Http404(f"there is no revision {number}")
    return Attachment(revision_lines(revision), f"{shown.slug}-r{number}.jsonl")
