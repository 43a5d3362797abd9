"""Whether a value has the type that the schema asks for, as BFCL tells types.

After `ast_checker.py` of bfcl-eval. Types are compared exactly: True is no integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolcalls.official.bfcl.wrong import Wrong


@dataclass(frozen=True, slots=True)
class Typed:
    """wrong: the type error, if it is one. variable: the value is compared plainly, as a variable's name would be."""

    wrong: Wrong | None
    variable: bool = False


def typed(parameter: str, value: Any, accepted: Sequence[Any], name: str, kind: type[Any], inner: type[Any] | None) -> Typed:
    """Check `value` against `kind`, the Python type for the schema's type `name`, and a list's items against `inner`.

    The type of the first accepted value other than `""` passes too: that is how the answers write a variable's name. Where
    that type is not the schema's own, even a value of the schema's type counts as a variable.
    """
    first = next((type(option) for option in accepted if option != ""), None)
    reasons: tuple[str, ...] = ()
    if type(value) is kind:
        if inner is None or _items_right(parameter, value, accepted, inner):
            return Typed(None, variable=first is not None and first != kind)
        outer = f"Expected outer type {name} with inner type {inner!s}. Parameter value: {value!r}."
        reasons = (f"Nested type checking failed for parameter {parameter!r}. {outer}",)
    if first is not None and type(value) is first:
        return Typed(Wrong("type_error:nested", reasons) if reasons else None, variable=True)
    got = f"Expected type {name}, got {type(value).__name__}. Parameter value: {value!r}."
    return Typed(Wrong("type_error:simple", (*reasons, f"Incorrect type for parameter {parameter!r}. {got}")))


def _items_right(parameter: str, value: Sequence[Any], accepted: Sequence[Any], inner: type[Any]) -> bool:
    """One level deep. An accepted value that is no list, `""` for one, lets any items pass."""
    return any(
        type(option) is not list
        or all(type(item) is inner or not typed(parameter, item, option, str(inner), inner, None).wrong for item in value)
        for option in accepted
    )
