"""The value of constant arithmetic, `50 * 1` or `'S' + 'an'`, within bounds: what the official decoders hand to `eval`."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

ROOM = 1_000_000  # characters, list entries and bytes of whole numbers that the results of one decoding may hold together
LONGEST = 100_000  # the same of one result
BITS = 16_384  # of one whole number; Python turns 4,300 decimal digits into text at most, which have 14,285
DEPTH = 325  # of operations and containers in each other: about where `ast.unparse` ends, which comes before `eval`
_FORMAT_WIDTH = 1_000  # the widths in a format string together

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.BitAnd: operator.and_,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}
_SEQUENCES = (str, bytes, list, tuple)
_DIGITS = re.compile(r"[0-9]+")


class Unfoldable(Exception):
    """Not an expression of constants, or one whose value is an error or too large."""


def fold(node: ast.AST) -> Any:
    """The value of one expression. Raises Unfoldable."""
    return Folder().fold(node)


class Folder:
    """Folds the expressions of one decoding, which share one allowance, so that many small bombs are no large one."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room

    def fold(self, node: ast.AST) -> Any:
        """The value of one expression of constants, lists, tuples, sets, dicts and operators on them. Raises Unfoldable."""
        try:
            return self._value(node, DEPTH)[0]
        except (ArithmeticError, RecursionError, TypeError, ValueError) as error:
            raise Unfoldable(str(error)) from None

    def _value(self, node: ast.AST | None, depth: int) -> tuple[Any, int]:
        """A value and its weight: about the characters that its `repr` needs."""
        if not depth:
            raise Unfoldable("nested too deep")
        if isinstance(node, ast.Constant):
            return node.value, _weight(node.value)
        if isinstance(node, ast.BinOp):
            return self._binary(node, depth - 1)
        if isinstance(node, ast.UnaryOp):
            value, weight = self._value(node.operand, depth - 1)
            return _UNARY[type(node.op)](value), weight
        return self._container(node, depth - 1)

    def _container(self, node: ast.AST | None, depth: int) -> tuple[Any, int]:
        if isinstance(node, ast.Dict):
            keys = [self._value(key, depth) for key in node.keys]
            values = [self._value(value, depth) for value in node.values]
            pairs = zip((key for key, _ in keys), (value for value, _ in values), strict=True)
            return dict(pairs), 1 + sum(weight for _, weight in keys + values)
        if not isinstance(node, ast.List | ast.Tuple | ast.Set):
            raise Unfoldable(f"{type(node).__name__} is no constant")
        items = [self._value(item, depth) for item in node.elts]
        kind = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
        return kind(value for value, _ in items), 1 + sum(weight for _, weight in items)

    def _binary(self, node: ast.BinOp, depth: int) -> tuple[Any, int]:
        left, left_weight = self._value(node.left, depth)
        right, right_weight = self._value(node.right, depth)
        operation = _BINARY.get(type(node.op))
        if operation is None:
            raise Unfoldable("an operator that no constant has")
        weight = _result_weight(node.op, (left, left_weight), (right, right_weight))
        self._room -= weight
        if weight > LONGEST or self._room < 0:
            raise Unfoldable("a value too large")
        return operation(left, right), weight


def _weight(value: Any) -> int:
    if isinstance(value, str | bytes):
        return 1 + len(value)
    return 1 + value.bit_length() // 8 if isinstance(value, int) else 1


def _result_weight(op: ast.operator, left: tuple[Any, int], right: tuple[Any, int]) -> int:
    """What the result may weigh at most, told before it is made."""
    if isinstance(left[0], int) and isinstance(right[0], int):
        return 1 + _result_bits(op, left[0], right[0]) // 8
    if isinstance(op, ast.Mult):
        (sequence, weight), (times, _) = (left, right) if isinstance(left[0], _SEQUENCES) else (right, left)
        if isinstance(sequence, _SEQUENCES) and isinstance(times, int):
            return weight * max(1, times)
    if isinstance(op, ast.Mod) and isinstance(left[0], str | bytes):
        return _formatted_weight(left[0], right[1])
    return left[1] + right[1]


def _result_bits(op: ast.operator, left: int, right: int) -> int:
    bits = _most_bits(op, left, right)
    if bits > BITS:
        raise Unfoldable("a number too large")
    return bits


def _most_bits(op: ast.operator, left: int, right: int) -> int:
    match op:
        case ast.Pow():
            return left.bit_length() * max(1, right) if abs(left) > 1 else 1
        case ast.LShift():
            return left.bit_length() + max(0, right)
        case ast.Mult():
            return left.bit_length() + right.bit_length()
        case ast.Mod():
            return right.bit_length()
        case ast.Add() | ast.Sub() | ast.BitOr() | ast.BitXor() | ast.BitAnd():
            return max(left.bit_length(), right.bit_length()) + 1
    return left.bit_length() + 1


def _formatted_weight(template: str | bytes, argument: int) -> int:
    """Of `template % argument`: every mark may write all of the argument, `%r` of it with escapes."""
    text = template if isinstance(template, str) else template.decode("latin-1")
    if "*" in text or sum(min(int(digits[:9]), LONGEST) for digits in _DIGITS.findall(text)) > _FORMAT_WIDTH:
        raise Unfoldable("a format with wide fields")
    return len(text) + text.count("%") * (10 * argument + _FORMAT_WIDTH)
