"""The address that a load balancer asks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """The process answers. It asks no database."""
    return HttpResponse("ok\n", content_type="text/plain")
