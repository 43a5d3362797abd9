"""Calls in Python source, `[f(a=1), g()]`, as the decoder that BFCL wrote and ACEBench took over makes values of them.

After `ast_parse` and `resolve_ast_by_type` of bfcl-eval 2026.3.23 (Apache-2.0, the Gorilla project of UC Berkeley); their `eval`
of arithmetic is `folding` here.
"""

from __future__ import annotations

import ast
import threading
import warnings
from typing import Any

from toolcalls.official.folding import Folder, Unfoldable
from toolcalls.official.plain_calls import LONGEST, NamedCall
from toolcalls.official.unreadable import unreadable

_warnings = threading.Lock()  # catch_warnings swaps the process's filters


class Undecodable(Exception):
    """The output cannot be read as calls."""


def parsed(source: str) -> ast.expr:
    """The syntax tree of one expression. Raises Undecodable.

    Python's parser allows 200 nested brackets, which bounds the recursion of all that walks the tree.
    """
    if len(source) > LONGEST:
        raise Undecodable(f"more than {LONGEST} characters")
    if unreadable(source):
        raise Undecodable("no expression of Python")
    try:
        with _warnings, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of '\d' in a string, say: the model's, not ours
            return ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Undecodable(str(error)) from None


class Resolver:
    """Makes the values of one output, as the official decoders do and not as Python would. All methods raise Undecodable."""

    def __init__(self, *, bare_calls_as_source: bool) -> None:
        """bare_calls_as_source: a call without named arguments that is itself a value is its text; else it is {name: {}}."""
        self._bare_calls_as_source = bare_calls_as_source
        self._folder = Folder()  # one for all values of an output, which share its allowance

    def call(self, node: ast.expr) -> NamedCall:
        """Positional arguments are dropped, a parameter given twice keeps its last value; `**x` has the name None."""
        if not isinstance(node, ast.Call):
            raise Undecodable(f"{type(node).__name__} where a call should be")
        return {_dotted(node.func): {keyword.arg: self.value(keyword.value) for keyword in node.keywords}}

    def value(self, node: ast.expr | None) -> Any:
        match node:
            case ast.Constant():
                return "..." if node.value is Ellipsis else node.value
            case ast.Name():
                return node.id  # so `true` is "true" and unit=km is "km"
            case ast.UnaryOp():
                return _negated(node.operand)
            case ast.List():
                return [self.value(item) for item in node.elts]
            case ast.Tuple():
                return tuple(self.value(item) for item in node.elts)
            case ast.Dict():
                return self._dict(node)
            case ast.BinOp():
                return self._folded(node)
            case ast.Call():
                return self.call(node) if node.keywords or not self._bare_calls_as_source else _source(node)
            case ast.Subscript():
                return f"{_source(node.value)}[{_source(node.slice)}]"
        raise Undecodable(f"Unsupported AST type: {type(node)}")

    def _dict(self, node: ast.Dict) -> dict[Any, Any]:
        pairs = zip(node.keys, node.values, strict=True)
        try:
            return {self.value(key): self.value(value) for key, value in pairs}
        except TypeError as error:  # a key that is a list or a dict
            raise Undecodable(str(error)) from None

    def _folded(self, node: ast.BinOp) -> Any:
        try:
            return self._folder.fold(node)
        except Unfoldable as error:
            raise Undecodable(str(error)) from None


def _dotted(function: ast.expr) -> str:
    """`a.b.c`; of anything but names and dots the dotted end alone stays, so `f().g(x=1)` calls "g"."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(function.id)
    return ".".join(reversed(parts))


def _negated(operand: ast.expr) -> Any:
    """Every unary operator counts as a minus: `+5` is −5, and `not True` −1."""
    if not isinstance(operand, ast.Constant) or not isinstance(operand.value, int | float | complex):
        raise Undecodable("a unary operator before what is no number")
    return -operand.value


def _source(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError) as error:  # a whole number of too many digits; operators nested too deep
        raise Undecodable(str(error)) from None
