"""What ACEBench's checker says of decoded calls, with its laxness: see `docs/official-scorers.md`.

Source: `normal_checker` of model_eval/checker.py, chenchen0103/ACEBench at 56dd66cf (MIT). Values are compared as Python
compares them (`True == 1`), because that is what the official program does. Every function answers with the official error
type, or None. Where the official program itself fails, so does this one: KeyError, TypeError, AttributeError, ValueError.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from toolcalls.official.plain_calls import NamedCall

_KINDS: dict[str, type] = {
    **dict.fromkeys(("string", "any"), str),
    **dict.fromkeys(("integer", "int", "number"), int),
    "float": float,
    "boolean": bool,
    **dict.fromkeys(("array", "list", "list(string)", "list(enum)", "objectArray", "tuple"), list),
    **dict.fromkeys(("dict", "object"), dict),
    "enum": enumerate,  # nothing is of this type
}
_HOLDS_OTHERS = {"array", "tuple", "list(string)", "list(enum)", "object", "objectArray"}
_IGNORED = re.compile(r"[ ,./\-_*^]")
_NUMBERED = re.compile(r"_\d+$")


def error_of(functions: Sequence[Mapping[str, Any]], calls: list[NamedCall], answer: Mapping[str, Any]) -> str | None:
    """Compare with one answer, {name: {parameter: value}}; a tool that is called twice stands there as name_1, name_2.

    Any trailing number is taken off the answer's names, even one that belongs to the tool's real name.
    """
    if len(calls) != len(answer):
        return "wrong functions number"
    expected = [(name, _NUMBERED.sub("", name), parameters) for name, parameters in answer.items()]
    if Counter(_name(call) for call in calls) != Counter(plain for _, plain, _ in expected):
        return "function_mismatch"
    for name, plain, parameters in expected:
        error = _best_error(_description(functions, name), calls, plain, parameters)
        if error is not None:
            return error
    return None


def _name(call: NamedCall) -> str:
    return next(iter(call))


def _description(functions: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """The first tool whose name is part of `name`, which need not be the tool that is called."""
    for function in functions:
        if function["name"] in name:
            return function
    raise TypeError("no tool of that name, which the official program does not expect")


def _best_error(function: Mapping[str, Any], calls: list[NamedCall], name: str, expected: Any) -> str | None:
    """None when any call passes, else what was said of the last one; a call may serve several entries of the answer."""
    error: str | None = None
    for call in calls:
        error = _call_error(function, call, expected) if _name(call) == name else "simple_function_checker:unclear"
        if error is None:
            return None
    return error


def _call_error(function: Mapping[str, Any], call: NamedCall, expected: Any) -> str | None:
    given, schema = call[_name(call)], function["parameters"]
    if given == {} or schema == {}:
        return None if given == {} and schema == {} else "wrong_param"
    if expected == schema["properties"]:
        return None
    if expected == {}:
        return "wrong_param"
    if function["name"] not in call:
        return "wrong_function_name"
    if any(parameter not in given for parameter in schema["required"]):
        return "lack_args"
    for parameter, value in given.items():  # what only the answer has is not missed
        if parameter not in schema["properties"] or parameter not in expected:
            return "addition_args"
        error = _parameter_error(schema["properties"][parameter], value, expected[parameter])
        if error is not None:
            return error
    return None


def _parameter_error(schema: Mapping[str, Any], value: Any, expected: Any) -> str | None:
    described = schema["type"]
    kind = _KINDS[described]
    inner = _KINDS[_inner_type(schema)] if described in _HOLDS_OTHERS else None
    if described == "tuple" and type(value) is tuple:
        value = list(value)
    if described == "float" and type(value) is int:
        value = float(value)
    passes, compared = _typed(value, expected, kind, inner)
    if not passes:
        return "type_error"
    if compared and described == "objectArray" and inner is dict:
        return _object_array_error(value, expected)
    return _value_error(value, expected, kind, inner) if compared else None


def _inner_type(schema: Mapping[str, Any]) -> str:
    items = schema.get("items")
    if isinstance(items, Mapping) and "type" in items:
        return items["type"]  # type: ignore[no-any-return]
    return next((part for part in ("string", "enum") if part in schema["type"]), "dict")


def _typed(value: Any, expected: Any, kind: type, inner: type | None) -> tuple[bool, bool]:
    """Whether the type passes, and whether the value is compared then.

    Not compared is an answer that is itself not of the schema's type, and an output that is of the answer's type only.
    The inner type matters for answers that are lists of lists, and an empty list or dict in the answer fails every output.
    """
    value = _unquoted(value)  # for the type alone: a text parameter "true" fails
    failed = False
    if type(value) is kind:
        if inner is None or any(_holds(value, item, inner) for item in expected):
            return True, expected == "" or type(expected) is kind
        failed = True
    if expected != "" and (type(value) is type(expected) or expected == value):
        return not failed, False
    return False, False


def _holds(value: Any, expected: Any, inner: type) -> bool:
    return type(expected) is not list or all(_typed(item, expected, inner, None)[0] for item in value)


def _value_error(value: Any, expected: Any, kind: type, inner: type | None) -> str | None:
    """Numbers and booleans are not compared at all."""
    if kind is dict:
        return _dict_error(value, expected)
    if kind is list and inner is dict:
        return _dicts_error(value, expected)
    if kind is str:  # "" and ", " are in everything
        return None if _plain(expected) in _plain(value) else "value_error:string"
    if kind is list:
        return None if _plain_items(value) == _plain_items(expected) else "value_error:list/tuple"
    return None


def _plain(text: str) -> str:
    return _IGNORED.sub("", text).lower().replace("'", '"')


def _plain_items(values: Any) -> list[Any]:
    return [_plain(value) if type(value) is str else value for value in values]


def _object_array_error(value: Any, expected: Any) -> str | None:
    if len(value) != len(expected):
        return "value_error:dict_items"
    if value:
        raise TypeError("the official program calls its dict checker without the tool's name")
    return None


def _dicts_error(value: Any, expected: Any) -> str | None:
    if len(value) != len(expected):
        return "value_error:list_dict_count"
    errors = (_dict_error(*pair) for pair in zip(value, expected, strict=True))
    return next((error for error in errors if error is not None), None)


def _dict_error(given: Any, expected: Any) -> str | None:
    """As many keys, the same keys, and the answer's value as part of the given one's text: 1 passes for 10, [] for "[]"."""
    if not isinstance(given, dict) or len(given) != len(expected.keys()):
        return "value_error"
    for key, value in given.items():
        if key not in expected:
            return "value_error"
        error = _entry_error(_unquoted(value), expected[key])
        if error is not None:
            return error
    return None


def _entry_error(given: Any, expected: Any) -> str | None:
    if isinstance(expected, dict):
        return _dict_error(given, expected)
    written, wanted = (_plain(value) if type(value) is str else str(value) for value in (given, expected))
    return None if wanted in written else "value_error"


def _unquoted(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if type(value) is str else value
