"""The reference of the REST API; it says nothing that is anybody's, so everybody may read it."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from curation.api.site import api
from curation.pages.api_reference import Reference, api_reference


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    page = {"reference": _reference(), "site": settings.SITE_URL.rstrip("/"), "rate": settings.API_RATE}
    return render(request, "curation/api/page.html", page)


@cache
def _reference() -> Reference:
    """The schema stays as long as the process."""
    return api_reference(api.get_openapi_schema())
