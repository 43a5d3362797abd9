"""The reference page of the REST API, read from its schema: what a Swagger page shows, without scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
PREFIX = "/api/v1"
GOOD = ("200", "201", "202", "204")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a type's text; `link` is the name of the shape that it leads to, or empty."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: tuple[Part, ...]
    required: bool
    place: str  # path, query or empty
    about: str
    default: str


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    path: str
    about: str
    session_only: bool
    parameters: tuple[Field, ...]
    body: tuple[Part, ...]
    status: str
    answer: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Noun:
    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    title: str
    about: str
    fields: tuple[Field, ...]
    values: tuple[str, ...]  # of a closed list


@dataclass(frozen=True, slots=True)
class Reference:
    nouns: tuple[Noun, ...]
    shapes: tuple[Shape, ...]


def api_reference(schema: Json) -> Reference:
    """The page of an OpenAPI schema, its operations by tag."""
    by_tag: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, details in methods.items():
            by_tag.setdefault(details["tags"][0], []).append(_operation(path, method, details))
    shapes = (_shape(name, details) for name, details in sorted(schema["components"]["schemas"].items()))
    return Reference(tuple(Noun(name, tuple(found)) for name, found in by_tag.items()), tuple(shapes))


def _operation(path: str, method: str, details: Json) -> Operation:
    status = next(status for status in GOOD if status in details["responses"])
    return Operation(
        name=details["operationId"],
        method=method.upper(),
        path=path.removeprefix(PREFIX),
        about=details.get("description", ""),
        session_only=[*details["security"][0]] == ["SessionOnly"],
        parameters=tuple(_parameter(one) for one in details["parameters"]),
        body=_content(details.get("requestBody", {})),
        status=status,
        answer=_content(details["responses"][status]),
    )


def _parameter(details: Json) -> Field:
    return _field(details["name"], details["schema"], bool(details["required"]), details["in"])


def _shape(name: str, details: Json) -> Shape:
    required = details.get("required", ())
    fields = (_field(key, value, key in required) for key, value in details.get("properties", {}).items())
    return Shape(
        name, _spoken(name), details.get("description", ""), tuple(fields), tuple(str(one) for one in details.get("enum", ()))
    )


def _field(name: str, details: Json, required: bool, place: str = "") -> Field:
    default = details.get("default")
    return Field(
        name=name,
        kind=tuple(_kind(details)),
        required=required,
        place=place,
        about=details.get("description", ""),
        default="" if default in (None, "", [], {}) else str(default),
    )


def _content(part: Json) -> tuple[Part, ...]:
    """The type of a body: of JSON its shape, else the name of its content type."""
    content = part.get("content", {})
    if "application/json" in content:
        return tuple(_kind(content["application/json"]["schema"]))
    return (Part(" or ".join(content)),) if content else ()


def _kind(details: Json) -> Iterator[Part]:
    """A JSON schema as a line: RunOut, list of text, whole number or null."""
    if reference := details.get("$ref"):
        name = reference.rpartition("/")[2]
        yield Part(_spoken(name), name)
    elif any_of := details.get("anyOf"):
        yield from _joined(any_of, " or ")
    elif "enum" in details or "const" in details:
        yield Part(" | ".join(str(one) or "“”" for one in details.get("enum", [details.get("const")])))
    elif "prefixItems" in details:
        yield Part("[")
        yield from _joined(details["prefixItems"], ", ")
        yield Part("]")
    elif details.get("type") == "array":
        yield Part("list of ")
        yield from _kind(details.get("items", {}))
    else:
        yield Part(_plain(details))


def _joined(kinds: list[Json], between: str) -> Iterator[Part]:
    for place, one in enumerate(kinds):
        if place:
            yield Part(between)
        yield from _kind(one)


_NAMES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "null": "null",
}


def _spoken(name: str) -> str:
    """Page_RunBrief_, as pydantic writes a generic type's name, → page of RunBrief."""
    return f"page of {name[5:-1]}" if name.startswith("Page_") else name


_FORMATS = {"date-time": "time", "uuid": "UUID", "binary": "file"}


def _plain(details: Json) -> str:
    name: str = _FORMATS.get(details.get("format", "")) or _NAMES.get(details.get("type", ""), "anything")
    low, high = details.get("minimum"), details.get("maximum")
    if high is not None and high < 2**31 - 1:
        return f"{name} {low} to {high}"
    return f"{name} from {low}" if low is not None else name
