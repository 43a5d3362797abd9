"""Every error of the API as application/problem+json (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from curation.middleware import STATUS

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"


class Fault(Schema):
    """One thing that is wrong with a request: where it stands, its name there, and what is wrong with it."""

    in_: str = Field(serialization_alias="in", description="path, query, header, body or file")
    name: str
    problem: str


class Problem(Schema):
    """RFC 9457. `errors` comes with a request that does not validate."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = None


class Misplaced(NamedTuple):
    """A fault in one place of a request."""

    where: str
    name: str
    problem: str


class Malformed(Exception):
    """The request itself, whoever sends it, is not one of the API's (422)."""

    def __init__(self, faults: Iterable[Misplaced]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.name}: {fault.problem}" for fault in self.faults))


def problem(status: int, detail: str, faults: Iterable[Misplaced] = ()) -> HttpResponse:
    """The response that says what is wrong."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if listed := [{"in": fault.where, "name": fault.name, "problem": fault.problem} for fault in faults]:
        body["errors"] = listed
    return HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=CONTENT_TYPE)


def install(api: NinjaAPI) -> None:
    """Replace ninja's handlers, whose answers are of a shape and of statuses of their own."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        Exception: _unexpected,
        Http404: _with(404, "there is nothing at this address"),
        HttpError: _http_error,
        AuthenticationError: _unauthenticated,
        ValidationError: _invalid,
        Malformed: lambda request, error: problem(422, str(error), error.faults),
        PermissionDenied: _with(403, "you may not do that"),
        SuspiciousOperation: _with(400, "the request cannot be read"),
        MultiPartParserError: _with(400, "the body is no multipart/form-data"),
        RequestDataTooBig: lambda request, error: problem(413, "the body is too large for this address"),
    } | {kind: _with(status, "") for kind, status in STATUS.items()}
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _with(status: int, otherwise: str) -> Callable[[HttpRequest, Any], HttpResponse]:
    """A handler that says the error's own words, or `otherwise` where it has none."""
    return lambda request, error: problem(status, str(error) or otherwise)


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    why = f"{error.message}: {error.__cause__}" if error.__cause__ else error.message
    return problem(error.status_code, why)


def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    why = "sign in, or send a token that is valid: Authorization: Bearer wst_…"
    response = problem(401, why if error.message == "Unauthorized" else error.message)
    response["WWW-Authenticate"] = 'Bearer realm="Whetstone"'
    return response


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [Misplaced(str(one["loc"][0]), _name(one["loc"]), one["msg"]) for one in error.errors]
    return problem(422, "; ".join(f"{fault.name}: {fault.problem}" for fault in faults), faults)


def _name(place: tuple[Any, ...]) -> str:
    """("body", "given", "calls", 0, "name") → "calls.0.name": ninja puts the argument's name before what was sent.

    Of a query's parameter nothing follows its name: ("query", "by", "hits", 0, "int") → "hits".
    """
    if place[0] == "query":
        return str(place[2] if len(place) > 2 else place[1])
    inner = place[2:] if place[0] == "body" else place[1:]
    return ".".join(str(part) for part in inner) or str(place[0])


def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(500, "this failed here, not with you; the site's log says why")
