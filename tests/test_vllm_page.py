"""docs/vllm.md names code and tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "vllm.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:toolcalls|trainer|worker|tests)/[\w/]+\.py)::(\w+)`", TEXT)))


def test_the_page_names_code_and_tests() -> None:
    assert len([path for path, _ in NAMED if path.startswith("tests/")]) > 10


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_the_page_names_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    defined |= {t.id for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)}
    assert name in defined
