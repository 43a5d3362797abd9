"""API-Bank's own verdicts on level-1 calls, as far as the recorded dialogues tell what its tools would answer.

The official evaluator runs the called tool on databases that every row begins with anew, and compares the result with the
recorded one. The databases are not here: a call is right when its parameters equal the recorded ones in the way that makes the
tool's result the recorded one. What needs a network or an earlier call of the dialogue cannot be told so; then the official
evaluator refuses even the recorded call.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from toolcalls.official.apibank.reading import read_call
from toolcalls.official.apibank.tools import TOOLS, Parameter, Tool
from toolcalls.official.scored import Scored


def score(output_text: str, truth: Mapping[str, Any], tokens: AbstractSet[str] = frozenset()) -> Scored:
    """Judge one output. `truth` is an API turn of a dialogue; `tokens` are those that the dialogues show to be known.

    The evaluator names no error types.
    """
    call = read_call(output_text)
    if call is None or call[0] != truth["api_name"]:
        return Scored(False)
    return Scored(_accepts(TOOLS[call[0]], call[1], truth["result"]["input"] or {}, tokens))


def _accepts(tool: Tool, written: Mapping[str, str], recorded: Mapping[str, Any], tokens: AbstractSet[str]) -> bool:
    if any(name not in tool for name in written):
        return False
    return all(_equal(parameter, written.get(name), recorded.get(name), tokens) for name, parameter in tool.items())


def _equal(parameter: Parameter, written: str | None, recorded: Any, tokens: AbstractSet[str]) -> bool:
    if written is None or recorded is None:
        return not parameter.required and written is None and recorded is None
    if parameter.known_token and written in tokens:
        return True
    if parameter.kind == "int":
        return written.isdigit() and _whole(written) == recorded
    if parameter.kind == "bool":
        return bool((written == "True") == recorded)
    return isinstance(recorded, str) and parameter.equal(written, recorded)  # no text equals a recorded list


def _whole(digits: str) -> int | None:
    """None for digits that are no number, such as "²", and for more than Python reads."""
    try:
        return int(digits)
    except ValueError:
        return None
