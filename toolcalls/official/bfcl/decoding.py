"""Read an output as BFCL reads it: a text as Python source, or the calls that a function-calling API gave.

After `default_decode_ast_prompting` and `ast_parse` of bfcl-eval, whose `eval` of arithmetic
is `folding` here.
"""

from __future__ import annotations

import ast
import json
import threading
import warnings
from typing import Any

from toolcalls.official.bfcl.wrong import Undecodable
from toolcalls.official.folding import Folder, Unfoldable

LONGEST = 2**18  # characters of an output; Deviation: the original has no limit
_warnings = threading.Lock()  # catch_warnings swaps the process's filters


def bracketed(text: str) -> str:
    """The text as a list: backticks, spaces and newlines at its ends go, missing brackets come.

    Nothing else goes: a tab or a byte order mark before the first bracket makes it a second one.
    """
    text = text.strip("`\n ")
    return ("" if text.startswith("[") else "[") + text + ("" if text.endswith("]") else "]")


def decode_python(text: str) -> list[dict[str, dict[str | None, Any]]]:
    """Calls of the default prompting form, `[f(a=1), g()]`. Raises Undecodable."""
    folder = Folder()
    body = _parsed(bracketed(text))
    if not isinstance(body, ast.Call | ast.List | ast.Tuple | ast.Set):
        raise Undecodable("no list of calls")
    elements = [body] if isinstance(body, ast.Call) else body.elts
    return [_call(element, folder) for element in elements]


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


def _parsed(source: str) -> ast.expr:
    if len(source) > LONGEST:
        raise Undecodable(f"more than {LONGEST} characters")
    try:
        with _warnings, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of '\d' in a string, say: the model's, not ours
            return ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Undecodable(str(error)) from None


def _call(node: ast.expr, folder: Folder) -> dict[str, dict[str | None, Any]]:
    """Positional arguments are dropped, a parameter given twice keeps its last value; `**x` has the name None."""
    if not isinstance(node, ast.Call):
        raise Undecodable(f"{type(node).__name__} where a call should be")
    parts: list[str] = []
    target = node.func
    while isinstance(target, ast.Attribute):
        parts.append(target.attr)
        target = target.value
    if isinstance(target, ast.Name):
        parts.append(target.id)
    return {".".join(reversed(parts)): {keyword.arg: _value(keyword.value, folder) for keyword in node.keywords}}


def _value(node: ast.expr | None, folder: Folder) -> Any:
    """Python's parser allows 200 nested brackets, which bounds the recursion."""
    match node:
        case ast.Constant():
            return "..." if node.value is Ellipsis else node.value
        case ast.Name():
            return node.id
        case ast.UnaryOp():
            return _negated(node.operand)
        case ast.List():
            return [_value(item, folder) for item in node.elts]
        case ast.Tuple():
            return tuple(_value(item, folder) for item in node.elts)
        case ast.Dict():
            return _dict(node, folder)
        case ast.BinOp():
            return _folded(node, folder)
        case ast.Call():
            return _call(node, folder) if node.keywords else _source(node)
        case ast.Subscript():
            return f"{_source(node.value)}[{_source(node.slice)}]"
    raise Undecodable(f"Unsupported AST type: {type(node)}")


def _negated(operand: ast.expr) -> Any:
    """Every unary operator counts as a minus: `+5` is −5, and `not True` −1."""
    if not isinstance(operand, ast.Constant) or not isinstance(operand.value, int | float | complex):
        raise Undecodable("a unary operator before what is no number")
    return -operand.value


def _dict(node: ast.Dict, folder: Folder) -> dict[Any, Any]:
    pairs = zip(node.keys, node.values, strict=True)
    try:
        return {_value(key, folder): _value(value, folder) for key, value in pairs}
    except TypeError as error:  # a key that is a list or a dict
        raise Undecodable(str(error)) from None


def _folded(node: ast.BinOp, folder: Folder) -> Any:
    try:
        return folder.fold(node)
    except Unfoldable as error:
        raise Undecodable(str(error)) from None


def _source(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError) as error:  # a whole number of too many digits; operators nested too deep
        raise Undecodable(str(error)) from None
