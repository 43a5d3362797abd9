"""Refusals of a stage as pages: 403 for a role that may not, 409 for a wrong state, 422 for input that cannot be used, 503
for a store of artifacts that does not answer."""

from __future__ import annotations

import json
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.storage.errors import StoreError

STATUS = {NotPermitted: 403, WrongState: 409, InputError: 422, StoreError: 503}
LONGEST_TOAST = 1000  # characters of a refusal
CHOOSING = ("HX-Request", "HX-Target", "HX-History-Restore-Request")
TITLE = {403: "Not permitted", 409: "Not now", 422: "That cannot be used", 503: "Not reachable"}


class Refusals:
    """For a request of htmx the page stays as it is and a toast says why; the REST API answers for itself.

    A page and its fragments may have one address: each answer says which headers choose, or Back shows a fragment alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        patch_vary_headers(response, CHOOSING)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        status = next((number for kind, number in STATUS.items() if isinstance(error, kind)), None)
        if status is None:
            return None
        if request.htmx:
            return refusal(str(error), status)
        return render(request, "curation/problem/page.html", {"title": TITLE[status], "why": str(error)}, status=status)


def refusal(why: str, status: int) -> HttpResponse:
    """What htmx gets instead of a fragment: nothing to swap in, and a toast, whose text must fit into a header."""
    why = why if len(why) <= LONGEST_TOAST else f"{why[:LONGEST_TOAST]}…"
    return HttpResponse(status=status, headers={"HX-Reswap": "none", "HX-Trigger": toast(why, kind="error")})


def toast(text: str, *, kind: str = "ok", undo: str = "", **events: object) -> str:
    """The HX-Trigger header that makes curation/assets/curation/app.js show a toast; `undo` is the address that undoes it.

    Further `events` are triggered on the body as well, e.g. decided={"sample": 5}.
    """
    return json.dumps({"toast": {"text": text, "kind": kind, "undo": undo}, **events})
