"""Records as JSON objects and back, strictly: what comes from a file or another process is checked field by field."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from toolcalls.answers import Call, Json
from toolcalls.errors import InputError
from toolcalls.records import Generation, Message, Sample, TrainingRow, Verdict

_T = TypeVar("_T")
_MISSING = object()
_KINDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", dict: "an object", list: "a list"}


def to_json(record: Any) -> dict[str, Any]:
    """Any record of `records.py` as a JSON object with the same field names."""
    return {name: _plain(getattr(record, name)) for name in _names(record.__class__)}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if dataclasses.is_dataclass(value):
        return to_json(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


class Fields:
    """The fields of one JSON object; every reader raises InputError with the place and the field's name."""

    def __init__(self, data: Any, where: str) -> None:
        if type(data) is not dict and not isinstance(data, Mapping):
            raise InputError(f"{where}: an object expected, not {type(data).__name__}")
        self.data = data
        self.where = where

    def get(self, name: str, kind: type[_T], default: Any = _MISSING) -> _T:
        """The field as `kind`; an int is taken for a float, a bool never for an int."""
        value = self.data.get(name, default)
        if value is _MISSING:
            raise InputError(f"{self.where}: field {name!r} is missing; {_KINDS[kind]} is needed there")
        if value is default and name not in self.data:
            return cast(_T, value)
        if kind is float and type(value) is int:
            return cast(_T, float(value))
        if type(value) is not kind:
            raise InputError(f"{self.where}: field {name!r} must be {_KINDS[kind]}, not {type(value).__name__}")
        return value

    def optional(self, name: str, kind: type[_T]) -> _T | None:
        """The field as `kind`, None when it is null or missing."""
        return None if self.data.get(name) is None else self.get(name, kind)

    def one_of(self, name: str, *allowed: Any, default: Any = _MISSING) -> Any:
        """The field, which must equal one of the allowed values."""
        value = self.get(name, type(allowed[0]), default)
        if value not in allowed:
            raise InputError(f"{self.where}: field {name!r} is {value!r}; allowed: {', '.join(map(repr, allowed))}")
        return value

    def items(self, name: str, read: Callable[[Any, str], _T], default: Any = _MISSING) -> tuple[_T, ...]:
        """The field's list, each element through `read(element, where)`."""
        values: list[Any] = self.get(name, list, default)
        return tuple(read(value, f"{self.where}, {name}[{index}]") for index, value in enumerate(values))


def message_from_json(data: Any, where: str = "message") -> Message:
    """Raises InputError when a field is missing or of another type, as all readers here do."""
    fields = Fields(data, where)
    return Message(fields.get("role", str), fields.get("content", str))


def call_from_json(data: Any, where: str = "call") -> Call:
    """Read {"name", "arguments"}; `arguments` may be left out."""
    fields = Fields(data, where)
    return Call(fields.get("name", str), fields.get("arguments", dict, {}))


def _tool(data: Any, where: str) -> dict[str, Json]:
    return dict(Fields(data, where).data)


def sample_from_json(data: Any, where: str = "sample") -> Sample:
    """Read a Sample; only id, tools, messages and truth must be there. A truth of null or [] calls nothing (None)."""
    fields = Fields(data, where)
    if "truth" not in fields.data:
        raise InputError(f"{where}: field 'truth' is missing; needed: a list of calls, or null for a truth in words")
    return Sample(
        id=fields.get("id", str),
        tools=fields.items("tools", _tool),
        messages=fields.items("messages", message_from_json),
        truth=(fields.items("truth", call_from_json) or None) if fields.data["truth"] is not None else None,
        truth_text=fields.optional("truth_text", str),
        other=fields.get("other", str, ""),
        system=fields.optional("system", str),
        split=fields.one_of("split", "train", "heldout", default="train"),
        category=fields.get("category", str, ""),
        language=fields.get("language", str, ""),
    )


def generation_from_json(data: Any, where: str = "generation") -> Generation:
    """Read a Generation."""
    fields = Fields(data, where)
    return Generation(
        attempt=fields.get("attempt", int),
        seed=fields.get("seed", int),
        text=fields.get("text", str),
        finish_reason=fields.one_of("finish_reason", "stop", "length", "too_long"),
        prompt_tokens=fields.get("prompt_tokens", int),
        completion_tokens=fields.get("completion_tokens", int),
        prompt_hash=fields.get("prompt_hash", str),
    )


def verdict_from_json(data: Any, where: str = "verdict") -> Verdict:
    """Read a Verdict."""
    fields = Fields(data, where)
    return Verdict(
        attempts=fields.get("attempts", int),
        exact_hits=fields.get("exact_hits", int),
        approximate_hits=fields.get("approximate_hits", int),
        first_hit=fields.optional("first_hit", int),
        reason=fields.get("reason", str),
        reasons=fields.get("reasons", dict, {}),
        other_answer=fields.optional("other_answer", str),
        other_count=fields.get("other_count", int, 0),
        comparator=fields.get("comparator", str, ""),
        censored=fields.get("censored", bool, False),
    )


def training_row_from_json(data: Any, where: str = "training row") -> TrainingRow:
    """Read a TrainingRow."""
    fields = Fields(data, where)
    return TrainingRow(
        sample_id=fields.get("sample_id", str),
        kind=fields.one_of("kind", "direct", "refine"),
        messages=fields.items("messages", message_from_json),
        target=fields.get("target", str),
    )
