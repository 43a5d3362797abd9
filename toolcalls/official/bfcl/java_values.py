"""From Java source to a value, after `java_type_converter.py` of bfcl-eval.

Source that is not of its type stays the text that it is. Commas inside strings split them: so the original reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toolcalls.official.bfcl.scanning import Ahead, after_space, spans

TYPES: dict[str, type] = {
    "byte": int,
    "short": int,
    "integer": int,
    "float": float,
    "double": float,
    "long": int,
    "boolean": bool,
    "char": str,
    "Array": list,
    "ArrayList": list,
    "Set": set,
    "HashMap": dict,
    "Hashtable": dict,
    "Queue": list,
    "Stack": list,
    "String": str,
    "any": str,
}
_INTEGER = re.compile(r"^-?\d+$")
_LONG = re.compile(r"^-?\d+[lL]$")
_FLOAT = re.compile(r"^-?\d+(\.\d+)?([eE][+-]?\d+)?[fF]$")
_DOUBLE = re.compile(r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$")
_AS_LIST = re.compile(r"new\s+ArrayList<\w*>\(Arrays\.asList\(")
_EMPTY_LIST = re.compile(r"new\s+ArrayList<\w*>\(\)")
_ADDING_LIST = re.compile(r"new\s+ArrayList<\w*>\(\)\s*\{\{")
_ADD = re.compile(r"add\(")
_ARRAY = re.compile(r"new\s+\w+\[\]\s*\{")
_MAP = re.compile(r"new\s+HashMap<")
_MAP_CREATED = re.compile(r">\s*\(\)")
_MAP_FILLED = re.compile(r">\s*\(\)\s*\{\s*\{?\s*")
_PUT = re.compile(r'put\("')


def convert(text: str, kind: str, inner: str | None = None) -> Any:
    """The value of `text` as the schema type `kind`, with items of type `inner`. Raises ValueError as the original does."""
    match kind:
        case "byte" | "short" | "integer":
            return int(text) if _INTEGER.match(text) else text
        case "float":
            return float(_without_suffix(text, "fF")) if _FLOAT.match(text) else text
        case "double":
            return float(text) if _DOUBLE.match(text) else text
        case "long":
            return int(_without_suffix(text, "lL")) if _LONG.match(text) else text
        case "boolean":
            return text == "true" if text in ("true", "false") else text
        case "Array":
            return _array(text, inner)
        case "ArrayList":
            return _array_list(text, inner)
        case "HashMap":
            return _hash_map(text)
        case "String" | "char" | "any":
            return text
    raise ValueError(f"Unsupported type: {kind}")


def _without_suffix(text: str, suffix: str) -> str:
    r"""Without the last character that `$` sees, which a newline may follow."""
    return text[:-1] if text[-1] in suffix else text[:-2] + text[-1]


def _plain(text: str) -> Any:
    """The value of source whose type is not known, by its looks."""
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    if _LONG.match(text):
        return int(text[:-1])
    if _FLOAT.match(text):
        return float(_without_suffix(text, "fF"))
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _array(text: str, inner: str | None) -> Any:
    content = next(spans(text, _ARRAY, "}"), None)
    if content is None:
        return text
    items = [item.strip() for item in content.split(",")]
    return [convert(item, inner) if inner else _plain(item) for item in items if item]


def _array_list(text: str, inner: str | None) -> Any:
    listed = next(spans(text, _AS_LIST, "))", least=1), None)
    if listed is not None:
        return [_item(item.strip(), inner) for item in listed.split(",")]
    added = _added(text)
    if added is not None:
        return [_item(item.strip(), inner) for item in spans(added, _ADD, ")", least=1)]
    return [] if _EMPTY_LIST.search(text) else text


def _item(text: str, inner: str | None) -> Any:
    """Strings and characters lose their first and last character, quotes or not."""
    if inner in ("char", "String"):
        return text[1:-1]
    return convert(text, inner) if inner else _plain(text)


def _added(text: str) -> str | None:
    r"""What stands in the double braces: search(r"new\s+ArrayList<\w*>\(\)\s*\{\{\s*(.+?)\s*\}\}", DOTALL)."""
    opening = _ADDING_LIST.search(text)
    if opening is None:
        return None
    start = after_space(text, opening.end())
    end = text.find("}}", start + 1)
    if end >= 0:
        return text[start] + text[start + 1 : end].rstrip()
    return text[start - 1] if start > opening.end() and text.startswith("}}", start) else None


def _hash_map(text: str) -> Any:
    content = _map_content(text)
    if content is not None:
        return {key: _plain(value.strip()) for key, value in _puts(content)}
    return {} if _makes_map(text) else text


def _map_content(text: str) -> str | None:
    r"""search(r"new\s+HashMap<.*?>\s*\(\)\s*\{\s*\{?\s*(.*?)\s*\}?\s*\}", DOTALL): up to the first closing brace."""
    opening = _MAP.search(text)
    filled = _MAP_FILLED.search(text, opening.end()) if opening else None
    end = text.find("}", filled.end()) if filled else -1
    return text[filled.end() : end].rstrip() if filled and end >= 0 else None


def _makes_map(text: str) -> bool:
    r"""search(r"new\s+HashMap<.*?>\s*\(\)"), on one line."""
    newlines, created = Ahead(text, "\n"), None
    for opening in _MAP.finditer(text):
        if created is None or created.start() < opening.end():
            created = _MAP_CREATED.search(text, opening.end())
        if created is None:
            return False
        if newlines.of(opening.end()) > created.start():
            return True
    return False


def _puts(text: str) -> Iterator[tuple[str, str]]:
    r"""findall(r'put\("(.*?)",\s*(.*?)\)'): key and value on one line each."""
    keys, values, key_lines, value_lines = Ahead(text, '",'), Ahead(text, ")"), Ahead(text, "\n"), Ahead(text, "\n")
    position = 0
    while found := _PUT.search(text, position):
        start = found.end()
        line = key_lines.of(start)
        end = keys.of(start)
        position = line + 1  # a later put on a line where this one fails would fail too
        while end < min(line, len(text)):
            value = after_space(text, end + 2)
            closing = values.of(value)
            if closing < min(value_lines.of(value), len(text)):
                yield text[start:end], text[value:closing]
                position = closing + 1
                break
            end = keys.of(end + 1)
