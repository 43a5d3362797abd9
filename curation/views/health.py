"""The address that a load balancer asks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse


def health(request: HttpRequest) -> HttpResponse:
    """The process answers. It asks no database."""
    return HttpResponse("ok\n", content_type="text/plain")
