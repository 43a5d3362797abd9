"""docs/paper-map.md names everything of the paper, and nothing that does not exist."""

from __future__ import annotations

import ast
import dataclasses
import re
from functools import cache
from pathlib import Path

import pytest

from toolcalls.settings import Settings, Training

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "paper-map.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:toolcalls|trainer|curation|worker|tests|docs)/[\w./-]*)(?:::([\w.]+))?`", TEXT)))
OF_THE_PAPER = [
    *(f"Eq. {number}" for number in (1, 2, 3)),
    "Algorithm 1",
    *(f"Figure {number}" for number in range(1, 8)),
    *(f"Table {number}" for number in range(1, 8)),
    "loss mask",
    "generation temperature",
    "greedy search",
    "learning rate",
    "warm-up ratio",
    "global batch size",
    "LoRA alpha",
    "LoRA on all modules, rank",
    "epochs per iteration",
    "n, maximum refine turns",
    "k, attempts",
]


@cache
def names_in(path: Path) -> frozenset[str]:
    """Top-level names of a Python file, and `Class.name` of what its classes hold."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for name in _bound(node):
            found.add(name)
            if isinstance(node, ast.ClassDef):
                found.update(f"{name}.{inner}" for item in node.body for inner in _bound(item))
    return frozenset(found)


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_the_map_names_exists(path: str, name: str) -> None:
    assert (ROOT / path).exists(), f"{path} is named in docs/paper-map.md but does not exist"
    if name:
        assert name in names_in(ROOT / path), f"{path} holds no {name}"


@pytest.mark.parametrize("label", OF_THE_PAPER)
def test_each_part_of_the_paper_has_its_row(label: str) -> None:
    assert re.search(rf"^\| {re.escape(label)}[^|]*\|", TEXT, re.MULTILINE), f"no row for {label}"


@pytest.mark.parametrize("kind", [Settings, Training])
def test_each_setting_has_its_row(kind: type) -> None:
    fields = {field.name for field in dataclasses.fields(kind)} - {"training"}
    assert not {name for name in fields if f"`toolcalls/settings.py::{kind.__name__}.{name}`" not in TEXT}


def test_each_deviation_in_the_code_is_listed() -> None:
    listed = TEXT[TEXT.index("## Deviations") :]
    for package in ("toolcalls", "trainer", "curation", "worker"):
        for path in (ROOT / package).rglob("*.py"):
            if "Deviation:" in path.read_text(encoding="utf-8"):
                assert str(path.relative_to(ROOT)) in listed, f"{path} marks a deviation that docs/paper-map.md does not list"


def test_rows_of_the_method_name_code_and_test() -> None:
    section = TEXT[TEXT.index("## Method") : TEXT.index("## Hyper-parameters")]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ") and not line.startswith("| paper")]
    assert len(rows) >= 15
    for row in rows:
        assert "`" in row[2] and "`tests/" in row[3], row
