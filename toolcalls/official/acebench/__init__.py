"""ACEBench's own verdicts for its English `normal_*` categories, bit for bit and lax as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolcalls.official.acebench.checking import error_of
from toolcalls.official.acebench.decoding import decode
from toolcalls.official.plain_calls import NamedCall
from toolcalls.official.python_calls import Undecodable
from toolcalls.official.scored import Scored

CATEGORIES = (
    "normal_atom_bool",
    "normal_atom_enum",
    "normal_atom_list",
    "normal_atom_number",
    "normal_atom_object_deep",
    "normal_atom_object_short",
    "normal_single_turn_parallel_function",
    "normal_single_turn_single_function",
)


def score(output_text: str, functions: Sequence[Mapping[str, Any]], answer: Any) -> Scored:
    """Judge one output. `answer` is {name: {parameter: value}}, or a list of such, each of them right.

    Of several answers the error is that of the first.
    """
    try:
        calls = decode(output_text)
    except Undecodable:
        return Scored(False, "wrong_output_format")
    try:
        return _judged(functions, calls, answer if isinstance(answer, list) else [answer])
    except (TypeError, KeyError, AttributeError, ValueError, RecursionError):
        return Scored(None)  # the official program has no verdict here: it ends


def _judged(functions: Sequence[Mapping[str, Any]], calls: list[NamedCall], answers: list[Any]) -> Scored:
    first: str | None = None
    for answer in answers:
        error = error_of(functions, calls, answer)
        if error is None:
            return Scored(True)
        first = first or error
    return Scored(False, first)
