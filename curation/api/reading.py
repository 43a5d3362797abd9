"""What may come in: JSON that Postgres can hold, and no query parameter that an address does not know."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from ninja import Schema
from ninja.parser import Parser
from pydantic import ConfigDict

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.datastructures import MultiValueDict

from curation.api.problems import Malformed, Misplaced


class Given(Schema):
    """The body of a request; a name that it does not have is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


class StrictParser(Parser):
    """JSON as RFC 8259 has it: no NaN, no number out of range, and no text that a database refuses."""

    def parse_body(self, request: HttpRequest) -> Any:
        value = json.loads(request.body, parse_constant=_no_number, parse_float=_finite)
        _check(value)
        return value

    def parse_querydict(self, data: MultiValueDict, list_fields: list[str], request: HttpRequest) -> dict[str, Any]:
        if faulty := [name for name in data if any("\x00" in text for text in data.getlist(name) if isinstance(text, str))]:
            raise Malformed(Misplaced("query", name, "a text cannot hold the character U+0000") for name in faulty)
        values: dict[str, Any] = super().parse_querydict(data, list_fields, request)
        return values


def strict(run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorate an operation's `run`: query parameters that it does not declare, or declares once and gets twice, are refused."""
    operation = run.__self__  # type: ignore[attr-defined]
    models = [model for model in operation.models if model.__ninja_param_source__ == "query"]
    known = {name for model in models for name in model.__ninja_flatten_map__}
    lists = {name for model in models for name in model.__ninja_collection_fields__}

    @functools.wraps(run)
    def checked(request: HttpRequest, **path: Any) -> HttpResponseBase:
        try:
            if faults := _faults(request, known, lists):
                raise Malformed(faults)
        except Exception as error:
            response: HttpResponse = operation.api.on_exception(request, error)
            return response
        return run(request, **path)

    return checked


def _faults(request: HttpRequest, known: set[str], lists: set[str]) -> list[Misplaced]:
    advice = f"known are: {', '.join(sorted(known))}" if known else "this address has none"
    unknown = [Misplaced("query", name, f"no such parameter; {advice}") for name in request.GET if name not in known]
    twice = [name for name in request.GET if name in known - lists and len(request.GET.getlist(name)) > 1]
    return unknown + [Misplaced("query", name, "given more than once") for name in twice]


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]} is out of range")
    return number


def _check(value: Any) -> None:
    """Raises ValueError for a text that cannot be stored, wherever in the value it stands."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("a text cannot hold the character U+0000")
        value.encode()  # a lone surrogate is a UnicodeEncodeError
    elif isinstance(value, Mapping):
        _check(list(value.keys()))
        _check(list(value.values()))
    elif isinstance(value, Sequence):
        for one in value:
            _check(one)
