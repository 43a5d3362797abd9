"""Read a Java call with tree-sitter as BFCL reads it, after `java_parser.py` of bfcl-eval.

Its grammar is much more lenient than a compiler: `[Class.method(name='some words', n=1)]` is fine.
"""

from __future__ import annotations

from typing import Any

import tree_sitter_java
from tree_sitter import Language, Node

from toolcalls.official.bfcl.decoding import bracketed
from toolcalls.official.bfcl.grammars import parsed
from toolcalls.official.python_calls import Undecodable

_JAVA = Language(tree_sitter_java.language(), "java")
_QUOTED = ("string_literal", "character_literal")
_VERBATIM = (*_QUOTED, "identifier", "class_literal", "type_identifier", "method_invocation")
_DEEPEST = 325  # about where the original's recursion ends


def decode_java(text: str) -> list[dict[str, dict[str | None, Any]]] | None:
    """The first method invocation of the text; None where there is none. Raises Undecodable."""
    source = bracketed(text)[1:-1]
    call = _first_call(parsed(source, _JAVA))
    return None if call is None else [_Source(source).call(call)]


def _first_call(root: Node) -> Node | None:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "method_invocation":
            return node
        waiting.extend(reversed(node.children))
    return None


class _Source:
    """The source text. As in the original, byte offsets index its characters, which differ after the first non-ASCII one."""

    def __init__(self, text: str) -> None:
        self._text = text

    def call(self, node: Node) -> dict[str, dict[str | None, Any]]:
        target, name = node.child_by_field_name("object"), self._text_of(_field(node, "name"))
        if target is not None:
            name = f"{self._text_of(target)}.{name}"
        return {name: self._arguments(_field(node, "arguments"))}

    def _arguments(self, node: Node) -> dict[str | None, Any]:
        """Assignments, and what has no name under None. Raises Undecodable where a name comes twice; the rest is dropped."""
        arguments: dict[str | None, Any] = {}
        for child in node.children:
            if child.type == "assignment_expression":
                name: str | None = self._text_of(child.children[0])
                value = self._value(child.children[2])
            elif child.type in ("identifier", "class_literal"):
                name, value = None, self._value(child)
            else:
                continue
            if name in arguments:
                raise Undecodable("Error: Multiple arguments with the same name are not supported.")
            arguments[name] = value
        return arguments

    def _value(self, node: Node) -> str:
        return self._text_of(node)[1:-1] if node.type in _QUOTED else self._respelled(node)

    def _text_of(self, node: Node) -> str:
        return self._text[node.start_byte : node.end_byte]

    def _respelled(self, node: Node) -> str:
        """The node's source with its spaces left out and the parts of `new` spelled one way."""
        written: list[str] = []
        waiting: list[tuple[Node | str, int]] = [(node, _DEEPEST)]
        while waiting:
            part, depth = waiting.pop()
            if isinstance(part, str):
                written.append(part)
            elif part.type in _VERBATIM or not (pieces := _pieces(part)):
                written.append(self._text_of(part))
            elif not depth:
                raise Undecodable("nested too deep")
            else:
                waiting.extend((piece, depth - 1) for piece in reversed(pieces))
        return "".join(written)


def _pieces(node: Node) -> list[Node | str]:
    if node.type == "array_creation_expression":
        return ["new ", _field(node, "type"), "[]", _field(node, "value")]
    if node.type == "object_creation_expression":
        return ["new ", _field(node, "type"), "(", *_separated(node.child_by_field_name("arguments")), ")"]
    return list(node.children)


def _separated(arguments: Node | None) -> list[Node | str]:
    pieces: list[Node | str] = []
    for child in arguments.children if arguments else ():
        if child.type not in (",", "(", ")"):
            pieces += [", ", child] if pieces else [child]
    return pieces


def _field(node: Node, name: str) -> Node:
    child = node.child_by_field_name(name)
    if child is None:
        raise Undecodable(f"{node.type} without {name}")
    return child
