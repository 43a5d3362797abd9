"""The three languages that BFCL's tools are written for: their types, and how a value's source text becomes a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toolcalls.official.bfcl.java_values import TYPES as JAVA_TYPES
from toolcalls.official.bfcl.java_values import convert as convert_java
from toolcalls.official.bfcl.javascript_values import TYPES as JAVASCRIPT_TYPES
from toolcalls.official.bfcl.javascript_values import convert as convert_javascript

Convert = Callable[[str, str, str | None], Any]


@dataclass(frozen=True, slots=True)
class Language:
    """types: Python types by schema type. nested: the schema types whose items are checked.

    convert: turns source text, schema type and item type into a value; None where values come as values.
    text_error: the error type of a value that should be source text and is not.
    """

    types: dict[str, type]
    nested: frozenset[str]
    convert: Convert | None = None
    text_error: str = ""


PYTHON = Language(
    {
        "string": str,
        "integer": int,
        "float": float,
        "boolean": bool,
        "array": list,
        "tuple": list,
        "dict": dict,
        "any": str,
    },
    nested=frozenset({"array", "tuple"}),
)
_COLLECTIONS = frozenset({"Array", "ArrayList", "array"})
JAVA = Language(JAVA_TYPES, _COLLECTIONS, convert_java, "type_error:java")
JAVASCRIPT = Language(JAVASCRIPT_TYPES, _COLLECTIONS, convert_javascript, "type_error:js")


def language_of(category: str) -> Language:
    """The language of a category's tools: of `simple_java`, `simple_javascript`, and Python of all others."""
    if "java" not in category:
        return PYTHON
    return JAVASCRIPT if "javascript" in category else JAVA
