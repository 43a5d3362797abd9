"""Types as data sets write them in words, as JSON Schema: "List[int]", "str, optional", "Dict[str, float]", "int | None".

Python's, Java's (`ArrayList<String>`, `int[]`) and JavaScript's names are known. A word that is not known means anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

Schema = Mapping[str, Any]
ANYTHING: Schema = {}

TYPE_NAMES = {
    **dict.fromkeys(("string", "str", "char", "character", "charsequence", "text"), "string"),
    **dict.fromkeys(("integer", "int", "long", "short", "byte", "int32", "int64", "biginteger"), "integer"),
    **dict.fromkeys(("number", "float", "double", "decimal", "bigdecimal", "float32", "float64"), "number"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("array", "list", "tuple", "set", "arraylist", "sequence", "iterable", "collection"), "array"),
    **dict.fromkeys(("object", "dict", "dictionary", "hashmap", "map", "mapping"), "object"),
    **dict.fromkeys(("null", "none", "nonetype"), "null"),
}
_LONGEST, _DEEPEST, _NULL = 200, 8, {"type": "null"}
_TOKEN = re.compile(r"[^\W\d][\w.]*|\S")
_MAY_BE_NULL = re.compile(r"\b(?:optional|nullable)\b(?!\s*[\[<(])", re.IGNORECASE)
_BRACKETS = str.maketrans("<>(){}", "[][][]")


@lru_cache(maxsize=4096)
def worded_type(words: str) -> Schema:
    """The schema that a type's words stand for, e.g. {"type": "array", "items": {"type": "integer"}} for "List[int]"."""
    if known := TYPE_NAMES.get(words):
        return {"type": known}
    shortened = words[:_LONGEST].replace("...", "")
    found = _Reader(_TOKEN.findall(shortened.translate(_BRACKETS))).union(0)
    return _any_of([found, _NULL]) if _MAY_BE_NULL.search(shortened) else found


class _Reader:
    """Reads tokens from the left as far as they are a type; what follows ("…, optional") is left."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def union(self, depth: int) -> Schema:
        """Types with `|`, `/` or "or" between them."""
        options = [self._one(depth)]
        while self._takes("|", "/", "or"):
            options.append(self._one(depth))
        return _any_of(options)

    def _one(self, depth: int) -> Schema:
        """A name, what it holds in brackets, and `[]` for a list of it."""
        if self.at >= len(self.tokens) or self.tokens[self.at] in ("]", ",") or depth > _DEEPEST:
            return ANYTHING
        name = self.tokens[self.at]
        self.at += 1
        if self._takes("of"):
            return _made(name, [self._one(depth + 1)])
        found = _made(name, self._held(depth) if self._opens() else [])
        while self._opens():
            self.at += 2
            found = {"type": "array", "items": found}
        return found

    def _held(self, depth: int) -> list[Schema]:
        """What stands in brackets after a name; () of `[]`, which makes a list of it."""
        if self.tokens[self.at + 1 : self.at + 2] == ["]"]:
            return []
        self.at += 1
        held: list[Schema] = []
        while self.at < len(self.tokens) and not self._takes("]"):
            if not self._takes(","):
                before = self.at
                held.append(self.union(depth + 1))
                self.at += self.at == before  # what is nested too deeply is passed over
        return held

    def _opens(self) -> bool:
        return self.tokens[self.at : self.at + 1] == ["["]

    def _takes(self, *words: str) -> bool:
        taken = self.at < len(self.tokens) and self.tokens[self.at].lower() in words
        self.at += taken
        return taken


def _made(name: str, held: Sequence[Schema]) -> Schema:
    bare = name.rpartition(".")[2]
    word = bare.lower()
    if word in ("union", "optional"):
        return _any_of([*held, _NULL] if word == "optional" else held)
    kind = TYPE_NAMES.get(word) or TYPE_NAMES.get(word.removesuffix("s"))
    if kind is None or bare == "Object":  # Java's Object is anything
        return ANYTHING
    if kind == "array" and held:
        return {"type": kind, "items": _any_of(held)}
    if kind == "object" and len(held) == 2:
        return {"type": kind, "additionalProperties": held[1]}
    return {"type": kind}


def _any_of(options: Sequence[Schema]) -> Schema:
    """One schema for several; anything where one of them is anything."""
    flat = [inner for option in options for inner in option.get("anyOf", [option])]
    distinct = [option for at, option in enumerate(flat) if option not in flat[:at]]
    if not distinct or ANYTHING in distinct:
        return ANYTHING
    return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
