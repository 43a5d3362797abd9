"""The calls that ACEBench's scorer sees in an output: the first `[…]` of the text, read as Python.

Source: `extract_outermost_bracket_content` in eval_main.py and `decode_ast` in model_inference/utils.py of chenchen0103/ACEBench
at 56dd66cf (MIT). Its quirks are kept and named here; only its `eval` of arithmetic is replaced by bounded folding.
"""

from __future__ import annotations

import ast
import warnings
from typing import Any

from toolcalls.official.folding import Folder, Unfoldable

LENGTH = 262_144  # characters of an output; longer than any model writes, and nothing is read of a longer one

NamedCall = dict[str, Any]  # {name: {parameter: value}}: what the checker is handed, one entry


class Undecodable(Exception):
    """The official decoder fails on the output, which it counts as `wrong_output_format`."""


def decode(text: str) -> list[NamedCall]:
    """Every call of the first outermost square brackets. Raises Undecodable."""
    if len(text) > LENGTH:
        raise Undecodable(f"longer than {LENGTH} characters")
    resolver = _Resolver()
    try:
        elements = _elements(_first_brackets(text))
        return [resolver.call(element) for element in elements]
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError, Unfoldable) as failure:
        raise Undecodable(str(failure)) from None


def _first_brackets(text: str) -> str:
    """The first `[…]` by counting brackets. Quotes are not looked at, and a stray `]` hides the `[` after it."""
    start, depth = -1, 0
    for position, mark in enumerate(text):
        if mark == "[":
            start = position if depth == 0 else start
            depth += 1
        elif mark == "]":
            depth -= 1
            if depth == 0 and start != -1:
                return text[start : position + 1]
    raise Undecodable("no closed square brackets")


def _elements(source: str) -> list[ast.expr]:
    """What stands between the brackets. The parser refuses more than 200 nested brackets, which bounds what recurses here."""
    with warnings.catch_warnings():  # "\d" in a string is no mistake of ours
        warnings.simplefilter("ignore")
        body = ast.parse(source, mode="eval").body
    if not isinstance(body, ast.List | ast.Tuple | ast.Set):
        raise Undecodable("not a list")
    return body.elts


class _Resolver:
    """Values as the official decoder makes them, not as Python would."""

    def __init__(self) -> None:
        self._folder = Folder()  # one for all values of an output, which share its allowance

    def call(self, node: ast.expr) -> NamedCall:
        """Positional arguments are dropped; of a parameter given twice the last stays; `**x` becomes a parameter None."""
        if not isinstance(node, ast.Call):
            raise Undecodable("an element that is no call")
        return {_dotted(node.func): {keyword.arg: self._value(keyword.value) for keyword in node.keywords}}

    def _value(self, node: ast.expr | None) -> Any:
        if isinstance(node, ast.Constant):
            return "..." if node.value is ... else node.value
        if isinstance(node, ast.Name):
            return node.id  # so `true` is "true" and unit=km is "km"
        if isinstance(node, ast.List):
            return [self._value(item) for item in node.elts]
        if isinstance(node, ast.Tuple):
            return tuple(self._value(item) for item in node.elts)
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            return {self._value(key): self._value(value) for key, value in pairs}
        return self._expression(node)

    def _expression(self, node: ast.expr | None) -> Any:
        if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
            return -node.operand.value  # type: ignore[operator]  # `+5`, `~5` and `not 5` are −5 too; "a" is a TypeError
        if isinstance(node, ast.BinOp):
            return self._folder.fold(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Subscript):
            return f"{ast.unparse(node.value)}[{ast.unparse(node.slice)}]"
        raise Undecodable(f"a value of type {type(node).__name__}")


def _dotted(function: ast.expr) -> str:
    """`a.b.c`; of anything but names and dots only the dotted end stays, so `f()(x=1)` calls "" and `f().g(x=1)` calls "g"."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(function.id)
    return ".".join(reversed(parts))
