"""The API object: ninja's, with every answer below /api/v1 in our shape, and a schema that says so."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, re_path

from curation.api.problems import CONTENT_TYPE, Problem, install, problem
from curation.api.reading import StrictParser, strict
from curation.api.signing import Session, Token
from curation.api.throttling import PerSender

WRITES = {"post", "put", "patch", "delete"}
EVERYWHERE = {
    "401": "Who sends this is not known.",
    "403": "Role, scope or CSRF token do not allow it.",
    "422": "Something in it cannot be used.",
    "429": "Too many; see Retry-After.",
}
THERE = {"404": "There is no such thing, or one is no member of its team."}
CHANGES = {"400": "The body cannot be read.", "409": "It is not in a state for this.", "413": "The body is too large."}

throttle = PerSender()


class Interface(NinjaAPI):
    """Ninja answers 404 and 405 outside its handlers, and its schema knows one content type for all."""

    def __init__(self, **options: Any) -> None:
        super().__init__(auth=[Token(), Session()], throttle=[throttle], parser=StrictParser(), **options)
        install(self)
        self.add_decorator(strict, mode="view")

    @property
    def urls(self) -> Any:
        patterns, app, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _in_problems(pattern.callback)
        return [*patterns, re_path("", _nothing_here)], app, namespace

    def get_openapi_schema(self, **place: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**place)
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema(
            mode="serialization", ref_template="#/components/schemas/{model}"
        )
        schema["components"]["schemas"] |= schema["components"]["schemas"]["Problem"].pop("$defs")
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                _add_problems(operation, method, "{" in path)
        return schema

    def get_openapi_operation_id(self, operation: Any) -> str:
        """The function's name, unique over the API: clients are generated from it."""
        return str(operation.view_func.__name__)


def _add_problems(operation: dict[str, Any], method: str, has_place: bool) -> None:
    said = EVERYWHERE | (THERE if has_place else {}) | (CHANGES if method in WRITES else {})
    operation["responses"] = {str(status): answer for status, answer in operation["responses"].items()}
    for status, words in sorted(said.items()):
        content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        operation["responses"].setdefault(status, {"description": words, "content": content})


def _in_problems(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return _nothing_here(request)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = response["Allow"]
            response = problem(405, f"{request.method} is not for this address; it takes {allowed}")
            response["Allow"] = allowed
        return response

    answer.csrf_exempt = True  # type: ignore[attr-defined] # a session's CSRF token is checked where it is used (signing)
    return answer


def _nothing_here(request: HttpRequest) -> HttpResponse:
    return problem(404, "there is nothing at this address; /api/docs/ lists all there are")


_nothing_here.csrf_exempt = True  # type: ignore[attr-defined]
