"""Parse source with tree-sitter, within bounds: its recovery from errors takes time that grows with the square and worse."""

from __future__ import annotations

import re

from tree_sitter import Language, Node, Parser

from toolcalls.official.python_calls import Undecodable

LONGEST = 2**14  # characters; the original has no limit
MOST_MARKS = 512  # but for quotes, commas and dots; the memory that errors between open marks need grows with their square
_MICROSECONDS = 2_000_000  # the original takes its time; no output of ordinary calls comes near it
_MARK = re.compile(r"[^\w\s,.\"']")


def parsed(source: str, language: Language) -> Node:
    """The root of the syntax tree. Raises Undecodable.

    As in the original, what could not be parsed is an error; a mark that had to be imagined, a `;` for one, is none.
    """
    if len(source) > LONGEST:
        raise Undecodable(f"more than {LONGEST} characters")
    if sum(1 for _ in _MARK.finditer(source)) > MOST_MARKS:
        raise Undecodable(f"more than {MOST_MARKS} marks")
    parser = Parser()
    parser.set_language(language)
    parser.set_timeout_micros(_MICROSECONDS)
    try:
        root = parser.parse(source.encode()).root_node
    except ValueError as error:  # half of a surrogate pair; too long a time
        raise Undecodable(str(error)) from None
    if _has_error(root):
        raise Undecodable("a syntax error")
    return root


def _has_error(root: Node) -> bool:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.is_error:
            return True
        waiting.extend(child for child in node.children if child.has_error)
    return False
