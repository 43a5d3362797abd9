"""The truth of a line that is to be compared, in any of the shapes that such lines have."""

from __future__ import annotations

import math
from typing import Any

from toolcalls.answers import Call, Calls, Json, ParseFailure
from toolcalls.commands.json_lines import Doubled
from toolcalls.errors import InputError
from toolcalls.parsing import parse
from toolcalls.plain_json import decode
from toolcalls.wire import Fields, call_from_json


def truth_of(fields: Fields) -> tuple[Call, ...]:
    """The calls of `truth`: a list of them, a text in any dialect, or none for null, [] and a text in words.

    A list's calls are `{"name", "arguments"}` or OpenAI's, its message too; arguments are an object or its JSON in a text.
    Raises InputError for a truth that cannot be read, holds a key twice or what is no JSON number.
    """
    if "truth" not in fields.data:
        raise InputError("the line: field 'truth' is missing; needed: a list of calls, a text, or null for no call")
    value = fields.data["truth"]
    if value is None:
        return ()
    if isinstance(value, str):
        return _written(value)
    _check(value)
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        return Fields(value, "the line, truth").items("tool_calls", _call)
    return fields.items("truth", _call)


def _written(text: str) -> tuple[Call, ...]:
    answer = parse(text)
    if isinstance(answer, ParseFailure):
        raise InputError(f"the line: the calls of field 'truth' cannot be read: {answer.reason}, at {answer.position}")
    return answer.calls if isinstance(answer, Calls) else ()


def _call(data: Any, where: str) -> Call:
    if isinstance(data, dict) and isinstance(data.get("function"), dict):
        data, where = data["function"], f"{where}, function"
    if isinstance(data, dict) and isinstance(data.get("arguments"), str):
        data = {**data, "arguments": _decoded(data["arguments"], where)}
    return call_from_json(data, where)


def _decoded(arguments: str, where: str) -> Json:
    try:
        return decode(arguments)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: field 'arguments' is a text that is not the JSON of an object: {error}") from None


def _check(truth: Json) -> None:
    """Look at every value, however deep, for what our JSON has none of."""
    waiting: list[tuple[Json, str]] = [(truth, "truth")]
    while waiting:
        value, where = waiting.pop()
        if isinstance(value, Doubled):
            raise InputError(f"the line, {where}: a key given twice")
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"the line, {where}: {value} is no JSON number")
        if isinstance(value, dict):
            waiting += [(inner, f"{where}.{key[:60]}") for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(inner, f"{where}[{place}]") for place, inner in enumerate(value)]
