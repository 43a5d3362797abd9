"""Read an output as BFCL reads it: a text as Python source, or the calls that a function-calling API gave.

After `default_decode_ast_prompting` of bfcl-eval.
"""

from __future__ import annotations

import ast
import json
from typing import Any

from toolcalls.official.plain_calls import NamedCall, NoCall, NotPlain, plain_calls
from toolcalls.official.python_calls import Resolver, Undecodable, parsed


def bracketed(text: str) -> str:
    """The text as a list: backticks, spaces and newlines at its ends go, missing brackets come.

    Nothing else goes: a tab or a byte order mark before the first bracket makes it a second one.
    """
    text = text.strip("`\n ")
    return ("" if text.startswith("[") else "[") + text + ("" if text.endswith("]") else "]")


def decode_python(text: str) -> list[NamedCall]:
    """Calls of the default prompting form, `[f(a=1), g()]`. Raises Undecodable."""
    source = bracketed(text)
    try:
        return plain_calls(source)
    except NotPlain:
        body = parsed(source)
    except NoCall:
        raise Undecodable("a list of what is no call") from None
    if not isinstance(body, ast.Call | ast.List | ast.Tuple | ast.Set):
        raise Undecodable("no list of calls")
    elements = [body] if isinstance(body, ast.Call) else body.elts
    resolver = Resolver(bare_calls_as_source=True)
    return [resolver.call(element) for element in elements]


def decode_api(text: str) -> list[dict[str, Any]]:
    """Calls of a function-calling API, `[{name: "arguments in JSON"}]`; an answer in words is no call. Raises Undecodable."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = text
    if not isinstance(answer, list):
        if text:
            raise Undecodable("words")
        answer = []
    return [_api_call(call) for call in answer]


def _api_call(call: Any) -> dict[str, Any]:
    """The first name of an object alone counts."""
    if not isinstance(call, dict) or not call:
        raise Undecodable("a call that is no object with a name")
    name, arguments = next(iter(call.items()))
    if not isinstance(arguments, str):
        raise Undecodable("arguments that are no text")
    try:
        return {name: json.loads(arguments)}
    except (ValueError, RecursionError) as error:
        raise Undecodable(str(error)) from None
