"""From JavaScript source to a value, after `js_type_converter.py` of bfcl-eval.

Source that is not of its type stays the text that it is. Commas inside strings split them, braces end a dict where they close
first: so the original reads.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from toolcalls.official.bfcl.scanning import Ahead, after_space, spans

TYPES: dict[str, type] = {
    "String": str,
    "integer": int,
    "float": float,
    "Bigint": int,
    "Boolean": bool,
    "dict": dict,
    "array": list,
    "any": str,
}
_INTEGER = re.compile(r"^-?\d+$")
_FLOAT = re.compile(r"^-?\d+(\.\d+)?$")
_BIGINT = re.compile(r"^-?\d+n$")
_ROWS = re.compile(r"(?:\[|new\s+Array\()\s*(?=\[)")
_ARRAY = re.compile(r"\[|new\s+Array\(")
_BRACKET = re.compile(r"\[")


def convert(text: str, kind: str, inner: str | None = None) -> Any:
    """The value of `text` as the schema type `kind`, with items of type `inner`. Raises ValueError as the original does."""
    match kind:
        case "String":
            return unquoted(text)
        case "integer":
            return int(text) if _INTEGER.match(text) else text
        case "float":
            return float(text) if _FLOAT.match(text) else text
        case "Bigint":
            return int(text[:-1]) if _BIGINT.match(text) else text
        case "Boolean":
            return text == "true" if text in ("true", "false") else text
        case "dict":
            return _dict(text.strip())
        case "array":
            return _array(text.strip(), inner)
        case "any":
            return text
    raise ValueError(f"Unsupported type: {kind}")


def unquoted(text: str) -> str:
    """Without the quotes around it; `"a" + "b"` loses its outer ones too."""
    return text[1:-1] if text.startswith(('"', "'")) and text.endswith(text[0]) else text


def _plain(text: str) -> Any:
    """The value of source whose type is not known, by its looks."""
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    if unquoted(text) != text:
        return unquoted(text)
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _array(code: str, inner: str | None) -> Any:
    end = _rows_end(code)
    if end is not None:
        return [[_plain(item) for item in row.split(",")] for row in _rows(code[:end])]
    opening = _ARRAY.match(code)
    if opening is None:
        return code
    start, end = opening.end(), code.find("]" if opening[0] == "[" else ")", opening.end())
    if end < 0 or "\n" in code[start:end]:
        return code
    content = code[start:end].strip()
    try:
        return [_item(item.strip(), inner) for item in content.split(",")] if content else []
    except ValueError:  # of an item's type that JavaScript has not, or a whole number of too many digits
        return code


def _item(text: str, inner: str | None) -> Any:
    if inner is None:
        return _plain(text)
    return convert(text, inner, "String" if text.startswith(("'", '"')) else None)


def _rows(code: str) -> Iterator[str]:
    """The rows of an array of arrays; the first begins at the outer bracket, if on the same line."""
    for position, row in enumerate(spans(code, _BRACKET, "]")):
        stripped = row.strip()
        yield stripped[1:] if position == 0 and stripped.startswith("[") else stripped


def _rows_end(code: str) -> int | None:
    r"""Where an array of arrays ends that begins the code; None where none does.

    The end that the pattern `\[\s*\[.*?\]\s*(,\s*\[.*?\]\s*)*\]` finds, or its like with `new Array(…)`: a row may run over
    brackets if nothing fits sooner. Told for every `]`, from the last, by what follows it: another row or the outer end.
    """
    opening = _ROWS.match(code)
    if opening is None:
        return None
    closing = "]" if code[0] == "[" else ")"
    places = [place.start() for place in re.finditer(r"\]", code)]
    ends: list[int | None] = [None] * (len(places) + 1)  # of the array whose row ends at this place or a later one of its line

    def from_row(start: int) -> int | None:
        first = bisect_left(places, start)
        return None if first == len(places) or "\n" in code[start : places[first]] else ends[first]

    for index in reversed(range(len(places))):
        following = after_space(code, places[index] + 1)
        if code.startswith(closing, following):
            ends[index] = following + 1
        elif code.startswith(",", following) and code.startswith("[", row := after_space(code, following + 1)):
            ends[index] = from_row(row + 1)
        if ends[index] is None and index + 1 < len(places) and "\n" not in code[places[index] : places[index + 1]]:
            ends[index] = ends[index + 1]
    return from_row(opening.end() + 1)


def _dict(code: str) -> Any:
    """A dict's content ends at the first closing brace, whatever it closes."""
    end = code.find("}")
    if not code.startswith("{") or end < 0 or "\n" in code[:end]:
        return code
    return dict(_entry(key, value) for key, value in _pairs(code[1:end]))


def _entry(key: str, value: str) -> tuple[str, Any]:
    value = value.strip()
    listed = value.startswith("[") and value.endswith("]")
    return key.strip().strip("'\""), _array(value, None) if listed else _plain(value.strip("'\""))


def _pairs(content: str) -> Iterator[tuple[str, str]]:
    r"""findall(r"([^:]+):\s*(.*?)(?:,\s*(?=[^,]+:)|$)"): a value ends at the first comma before another key, or at the end."""
    commas, colons, position = Ahead(content, ","), Ahead(content, ":"), 0
    while position < len(content):
        if content[position] == ":":
            position += 1
            continue
        colon = content.find(":", position)
        if colon < 0:
            return
        key, start = content[position:colon], after_space(content, colon + 1)
        end, position = _value_end(content, start, commas, colons)
        yield key, content[start:end]


def _value_end(content: str, start: int, commas: Ahead, colons: Ahead) -> tuple[int, int]:
    """Where a value ends and where the next key begins. A key is one character or more without a comma."""
    comma = commas.of(start)
    while comma < len(content):
        key = after_space(content, comma + 1)
        following = commas.of(comma + 1)
        if colons.of(key + 1) < following:
            return comma, key
        if key > comma + 1 and content.startswith(":", key):  # the space before it is the key
            return comma, key - 1
        comma = following
    return len(content), len(content)
