"""Read a JavaScript call with tree-sitter as BFCL reads it, after `js_parser.py` of bfcl-eval."""

from __future__ import annotations

from typing import Any

import tree_sitter_javascript
from tree_sitter import Language, Node

from toolcalls.official.bfcl.decoding import bracketed
from toolcalls.official.bfcl.grammars import parsed
from toolcalls.official.bfcl.javascript_values import unquoted
from toolcalls.official.python_calls import Undecodable

_JAVASCRIPT = Language(tree_sitter_javascript.language(), "javascript")


def decode_javascript(text: str) -> list[dict[str, dict[str | None, Any]]] | None:
    """The first statement that is a call; None where there is none. Raises Undecodable."""
    source = bracketed(text)[1:-1]
    call = _first_call(parsed(source, _JAVASCRIPT))
    return None if call is None else [{_text(call.children[0]): _arguments(call.children[1])}]


def _first_call(program: Node) -> Node | None:
    for statement in program.children:
        if statement.type == "expression_statement":
            for expression in statement.children:
                if expression.type == "call_expression":
                    return expression
    return None


def _arguments(node: Node) -> dict[str | None, Any]:
    """Assignments, and what has no name under None. Raises Undecodable where a name comes twice; the rest is dropped."""
    arguments: dict[str | None, Any] = {}
    for child in node.children:
        if child.type == "assignment_expression":
            name: str | None = _text(child.children[0])
            value = unquoted(_text(child.children[2]))
        elif child.type in ("identifier", "true"):
            name, value = None, _text(child)
        else:
            continue
        if name in arguments:
            raise Undecodable("Error: Multiple arguments with the same name are not supported.")
        arguments[name] = value
    return arguments


def _text(node: Node) -> str:
    text = node.text
    if text is None:
        raise Undecodable("a node without its source")
    return text.decode()
