"""The first page: the runs of the teams that one is a member of."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from curation.models import Run


@login_required
def home(request: HttpRequest) -> HttpResponse:
    runs = Run.objects.visible_to(request.user).select_related("project__team", "dataset", "base").order_by("-id")[:100]
    return render(request, "curation/home/page.html", {"runs": runs})


def health(request: HttpRequest) -> HttpResponse:
    """For a load balancer: the process answers. It asks no database."""
    return HttpResponse("ok\n", content_type="text/plain")
