"""What a run gives out: files to download, and what was given out before."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from curation.access import iteration_of, run_of
from curation.models import Export
from curation.pages.exports_page import exports_page, filter_of
from curation.stages import exporting
from curation.streaming import export_response
from curation.views.asked import number_asked
from curation.views.review import posted_number

NOT_FILTERS = ("csrfmiddlewaretoken", "iteration", "kind", "format")


@login_required
@require_http_methods(["GET", "POST"])
def of_run(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The page; a post downloads, because every export is put on record."""
    if request.method == "POST":
        iteration = iteration_of(request.user, pk, posted_number(request, "iteration"))
        kind = request.POST.get("kind", "")
        f = filter_of(kind, {name: values for name, values in request.POST.lists() if name not in NOT_FILTERS})
        return export_response(exporting.begin(iteration, kind, request.POST.get("format", ""), f, request.user))
    run = run_of(request.user, pk)
    page = exports_page(run, dict(request.GET.lists()), before=number_asked(request, "before"))
    return render(request, "curation/exports/page.html", {"page": page})


@login_required
@require_GET
def manifest(request: HttpRequest, pk: int, export: int) -> HttpResponse:
    """What an export held, as a file beside it."""
    found = Export.objects.filter(pk=export, iteration__run=run_of(request.user, pk)).first()
    if found is None:
        raise Http404("the run has no such export")
    headers = {"Content-Disposition": f'attachment; filename="export-{export}.manifest.json"'}
    return JsonResponse(found.manifest, json_dumps_params={"indent": 2, "ensure_ascii": False}, headers=headers)
