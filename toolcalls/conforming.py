"""Whether an argument is what its schema says: the part of JSON Schema that tools use, in the dialects they write it in.

Conservative: a keyword or a type that is not known here forbids nothing (`pattern`, `format`, `$ref`, "any"), and what a
schema names as its default fits it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from toolcalls.answers import Json
from toolcalls.canonical import canonical_value
from toolcalls.places import path_text
from toolcalls.type_words import ANYTHING, worded_type

Schema = Mapping[str, Any]
Steps = tuple[str | int, ...]
ValueProblemKind = Literal["wrong_type", "not_in_enum", "out_of_bounds", "missing_parameter", "unknown_parameter"]

_WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
MOST_PROBLEMS = 100  # of one value and of one list of calls; more are not looked for
MAPPING = (dict, Mapping)  # dict first: the abstract class takes its time
_SHOWN = 60  # characters of a value or of a list of values in a message
_DEEPEST = 64  # schemas inside schemas that are looked into


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """What of a value breaks its schema. `steps` lead to the place: the parameter, then keys and positions inside it.

    kind: of a key that an object needs or does not know, "missing_parameter" or "unknown_parameter", and `steps` name the key.
    """

    steps: Steps
    kind: ValueProblemKind
    text: str


def problems(value: Json, schema: object, steps: Steps, depth: int = 0) -> Iterator[ValueProblem]:
    """Say what of a value breaks its schema, and where; `steps` lead to the value."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST or _is_default(value, schema):
        return
    wrong = list(islice(_type_problems(value, schema, steps, depth), MOST_PROBLEMS))
    yield from wrong
    if any(problem.steps == steps for problem in wrong):
        return
    yield from _choice_problems(value, schema, steps)
    yield from _size_problems(value, schema, steps)
    if isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from problems(item, schema.get("items"), (*steps, place), depth + 1)
    elif isinstance(value, dict):
        yield from _object_problems(value, schema, steps, depth)


def type_options(schema: Schema) -> tuple[Schema, ...]:
    """The types that a schema's `type` allows, each as a schema; () where it says none or one that is not known."""
    given = schema.get("type")
    made = [worded_type(each) if isinstance(each, str) else ANYTHING for each in (given if isinstance(given, list) else [given])]
    if ANYTHING in made:
        return ()
    options = [inner for option in made for inner in option.get("anyOf", [option])]
    if schema.get("nullable") is True:
        options.append({"type": "null"})
    return tuple(option for at, option in enumerate(options) if option not in options[:at])


def _type_problems(value: Json, schema: Schema, steps: Steps, depth: int) -> Iterator[ValueProblem]:
    yield from _unless_one_fits(value, type_options(schema), steps, depth)
    for name in ("anyOf", "oneOf"):
        if isinstance(options := schema.get(name), list):
            yield from _unless_one_fits(value, options, steps, depth)
    if isinstance(parts := schema.get("allOf"), list):
        for part in parts:
            yield from problems(value, part, steps, depth + 1)


def _unless_one_fits(value: Json, options: Sequence[object], steps: Steps, depth: int) -> Sequence[ValueProblem]:
    """Where a value fits none of the schemas, what is wrong by the first that has its type; by none, that it has no such type."""
    near: Sequence[ValueProblem] = ()
    needed: list[str] = []
    for option in options:
        kind = option.get("type") if isinstance(option, Mapping) else None
        if isinstance(kind, str) and kind in _WORDS and not _is_a(value, kind):
            needed.append(_WORDS[kind])
            continue
        found = [] if option == {"type": kind} else list(islice(problems(value, option, steps, depth + 1), MOST_PROBLEMS))
        if not found:
            return ()
        near = near or found
    if near or not needed:
        return near
    text = f"{path_text('', steps)}: {' or '.join(dict.fromkeys(needed))} is needed, not {_shown(value)}"
    return (ValueProblem(steps, "wrong_type", text),)


def _is_a(value: Json, name: str) -> bool:
    match name:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list | tuple)
        case "object":
            return isinstance(value, dict)
        case _:
            return value is None


def _choice_problems(value: Json, schema: Schema, steps: Steps) -> Iterator[ValueProblem]:
    """`enum`, which data sets also write beside a list for its items, and `const`."""
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if not isinstance(allowed, list) or not allowed or (isinstance(value, str) and value in allowed):
        return
    known = {canonical_value(each) for each in allowed}
    given = value if isinstance(value, list | tuple) and canonical_value(value) not in known else [value]
    if any(canonical_value(each) not in known for each in given):
        listed = ", ".join(map(_shown, allowed))
        text = f"{path_text('', steps)}: {_shown(value)} is not one of {listed[:400]}{'…' if len(listed) > 400 else ''}"
        yield ValueProblem(steps, "not_in_enum", text)


def _size_problems(value: Json, schema: Schema, steps: Steps) -> Iterator[ValueProblem]:
    for words in _sizes(value, schema):
        yield ValueProblem(steps, "out_of_bounds", f"{path_text('', steps)}: {words}")


def _sizes(value: Json, schema: Schema) -> Iterator[str]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield from _limits(value, schema, ("minimum", "maximum"), _shown(value))
        yield from _strict_limits(value, schema)
    elif isinstance(value, str):
        yield from _limits(len(value), schema, ("minLength", "maxLength"), f"a text of {len(value)} characters")
    elif isinstance(value, list | tuple):
        yield from _limits(len(value), schema, ("minItems", "maxItems"), f"a list of {len(value)}")


def _limits(size: float, schema: Schema, names: tuple[str, str], words: str) -> Iterator[str]:
    least, most = (_number(schema, name) for name in names)
    if least is not None and size < least:
        yield f"{words} is less than {names[0]} {least}"
    if most is not None and size > most:
        yield f"{words} is more than {names[1]} {most}"


def _strict_limits(value: float, schema: Schema) -> Iterator[str]:
    """`exclusiveMinimum` as a number, or as the word that `minimum` is meant so (draft 4); the same of the maximum."""
    for name, other, sign in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        limit = _number(schema, other if schema.get(name) is True else name)
        if limit is not None and sign * value <= sign * limit:
            yield f"{_shown(value)} must be {'more' if sign > 0 else 'less'} than {limit}"


def _number(schema: Schema, name: str) -> float | None:
    limit = schema.get(name)
    return limit if isinstance(limit, int | float) and not isinstance(limit, bool) else None


def _object_problems(value: dict[str, Json], schema: Schema, steps: Steps, depth: int) -> Iterator[ValueProblem]:
    listed, others = schema.get("properties"), schema.get("additionalProperties")
    listed = listed if isinstance(listed, Mapping) else {}
    for name in needed_names(schema):
        if name not in value:
            yield ValueProblem((*steps, name), "missing_parameter", f"{path_text('', steps)}: {name!r} is missing")
    for name, inner in value.items():
        if name in listed:
            yield from problems(inner, listed[name], (*steps, name), depth + 1)
        elif others is False:
            yield ValueProblem((*steps, name), "unknown_parameter", f"{path_text('', steps)}: {name!r} is not known there")
        else:
            yield from problems(inner, others, (*steps, name), depth + 1)


def needed_names(schema: Schema) -> list[str]:
    """Names that an object must have: `required` lists them, beside the properties or by mistake among them, or each
    property says it of itself."""
    listed = schema.get("properties")
    listed = listed if isinstance(listed, MAPPING) else {}
    lists = [schema.get("required"), listed.get("required")]
    names = [name for names in lists if isinstance(names, list) for name in names if isinstance(name, str)]
    names += [name for name, inner in listed.items() if isinstance(inner, MAPPING) and inner.get("required") is True]
    return list(dict.fromkeys(names))


def _is_default(value: Json, schema: Schema) -> bool:
    return "default" in schema and canonical_value(value) == canonical_value(schema["default"])


def _shown(value: Json) -> str:
    text = canonical_value(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
