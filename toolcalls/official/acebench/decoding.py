"""The calls that ACEBench's scorer sees in an output: the first `[…]` of the text, read as Python.

Source: `extract_outermost_bracket_content` in eval_main.py and `decode_ast` in model_inference/utils.py of chenchen0103/ACEBench
at 56dd66cf (MIT).
"""

from __future__ import annotations

import ast

from toolcalls.official.plain_calls import NamedCall
from toolcalls.official.python_calls import Resolver, Undecodable, parsed


def decode(text: str) -> list[NamedCall]:
    """Every call of the first outermost square brackets. Raises Undecodable."""
    body = parsed(_first_brackets(text))
    if not isinstance(body, ast.List | ast.Tuple | ast.Set):
        raise Undecodable("not a list")
    resolver = Resolver(bare_calls_as_source=False)
    return [resolver.call(element) for element in body.elts]


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
