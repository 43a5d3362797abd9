"""Whether an argument is what its schema says: the part of JSON Schema that tools use, in the dialects they write it in.

Conservative: a keyword or a type that is not known here forbids nothing (`pattern`, `format`, `$ref`, "any"), and what a
schema names as its default fits it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from toolcalls.answers import Json
from toolcalls.canonical import canonical_value

Schema = Mapping[str, Any]

# Type names of JSON Schema, Python and Java that data sets use → JSON Schema's.
_TYPES = {
    **dict.fromkeys(("string", "str", "char"), "string"),
    **dict.fromkeys(("integer", "int", "long", "short"), "integer"),
    **dict.fromkeys(("number", "float", "double"), "number"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("array", "list", "tuple", "set", "arraylist"), "array"),
    **dict.fromkeys(("object", "dict", "dictionary", "hashmap", "map"), "object"),
    **dict.fromkeys(("null", "none"), "null"),
}
_WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_SHOWN = 60  # characters of a value or of a list of values in a message


def problems(value: Json, schema: object, where: str) -> Iterator[str]:
    """Say in words, each with its place (`where` and what is inside it), what of a value breaks its schema."""
    if not isinstance(schema, Mapping) or _is_default(value, schema):
        return
    types = schema_types(schema)
    if types and not any(_is_a(value, name) for name in types):
        yield f"{where}: {' or '.join(_WORDS[name] for name in types)} is needed, not {_shown(value)}"
        return
    yield from _choice_problems(value, schema, where)
    yield from _size_problems(value, schema, where)
    if isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from problems(item, schema.get("items"), f"{where}[{place}]")
    elif isinstance(value, dict):
        yield from _object_problems(value, schema, where)


def schema_types(schema: Schema) -> tuple[str, ...]:
    """The types that a schema allows, by JSON Schema's names; () where it says none or one that is not known."""
    given = schema.get("type")
    names = [_type_name(each) for each in (given if isinstance(given, list) else [given])]
    if None in names:
        return ()
    known = [name for name in names if name is not None]
    return tuple(dict.fromkeys([*known, "null"] if schema.get("nullable") is True else known))


def _type_name(given: object) -> str | None:
    """The type's name without what stands around it, as in "list(str)", "List[int]" and "str, optional"."""
    bare = re.match(r"\s*(\w+)", given) if isinstance(given, str) else None
    return _TYPES.get(bare[1].lower()) if bare else None


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


def _choice_problems(value: Json, schema: Schema, where: str) -> Iterator[str]:
    """`enum`, which data sets also write beside a list for its items, and `const`."""
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if not isinstance(allowed, list) or not allowed:
        return
    known = {canonical_value(each) for each in allowed}
    given = value if isinstance(value, list | tuple) and canonical_value(value) not in known else [value]
    if any(canonical_value(each) not in known for each in given):
        listed = ", ".join(map(_shown, allowed))
        yield f"{where}: {_shown(value)} is not one of {listed[:400]}{'…' if len(listed) > 400 else ''}"


def _size_problems(value: Json, schema: Schema, where: str) -> Iterator[str]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield from _limit_problems(value, schema, where, ("minimum", "maximum"), _shown(value))
        yield from _strict_limit_problems(value, schema, where)
    elif isinstance(value, str):
        yield from _limit_problems(len(value), schema, where, ("minLength", "maxLength"), f"a text of {len(value)} characters")
    elif isinstance(value, list | tuple):
        yield from _limit_problems(len(value), schema, where, ("minItems", "maxItems"), f"a list of {len(value)}")


def _limit_problems(size: float, schema: Schema, where: str, names: tuple[str, str], words: str) -> Iterator[str]:
    least, most = (_number(schema, name) for name in names)
    if least is not None and size < least:
        yield f"{where}: {words} is less than {names[0]} {least}"
    if most is not None and size > most:
        yield f"{where}: {words} is more than {names[1]} {most}"


def _strict_limit_problems(value: float, schema: Schema, where: str) -> Iterator[str]:
    """`exclusiveMinimum` as a number, or as the word that `minimum` is meant so (draft 4); the same of the maximum."""
    for name, other, sign in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        limit = _number(schema, other if schema.get(name) is True else name)
        if limit is not None and sign * value <= sign * limit:
            yield f"{where}: {_shown(value)} must be {'more' if sign > 0 else 'less'} than {limit}"


def _number(schema: Schema, name: str) -> float | None:
    limit = schema.get(name)
    return limit if isinstance(limit, int | float) and not isinstance(limit, bool) else None


def _object_problems(value: dict[str, Json], schema: Schema, where: str) -> Iterator[str]:
    listed, needed, others = schema.get("properties"), schema.get("required"), schema.get("additionalProperties")
    listed = listed if isinstance(listed, Mapping) else {}
    for name in needed if isinstance(needed, list) else ():
        if isinstance(name, str) and name not in value:
            yield f"{where}: {name!r} is missing"
    for name, inner in value.items():
        if name in listed:
            yield from problems(inner, listed[name], f"{where}.{name}")
        elif others is False:
            yield f"{where}: {name!r} is not known there"
        else:
            yield from problems(inner, others, f"{where}.{name}")


def _is_default(value: Json, schema: Schema) -> bool:
    return "default" in schema and canonical_value(value) == canonical_value(schema["default"])


def _shown(value: Json) -> str:
    text = canonical_value(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
