"""Whether tree-sitter met something that it could not parse. A mark that it had to imagine, a `;` for one, is no error."""

from __future__ import annotations

from tree_sitter import Tree


def has_error(tree: Tree) -> bool:
    """Whether the tree has an ERROR node; only branches that have an error of either kind are looked into."""
    waiting = [tree.root_node]
    while waiting:
        node = waiting.pop()
        if node.is_error:
            return True
        waiting.extend(child for child in node.children if child.has_error)
    return False
