"""docs/commands.md and docs/importing.md name what there is, and the conversion they show works."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from django.core.management import get_commands, load_command_class

from curation.models.registry import ENGINE_OPTIONS
from curation.stages.importing import import_dataset
from toolcalls.importing import FORMATS
from toolcalls.settings import Settings, Training

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMANDS = sorted(name for name, app in get_commands().items() if app == "curation")
DJANGO_OPTIONS = {
    "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color",
    "--skip-checks",
}  # fmt: skip


def section(text: str, command: str) -> str:
    """The part of commands.md about one command."""
    found = re.search(rf"^## [^\n]*\b{command}\b.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/commands.md has no section for {command}"
    return found[0]


def options(command: str) -> set[str]:
    parser: argparse.ArgumentParser = load_command_class("curation", command).create_parser("manage.py", command)
    return {words[-1] for action in parser._actions if (words := action.option_strings)} - DJANGO_OPTIONS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command: str) -> None:
    text = (DOCS / "commands.md").read_text()
    assert f"`{command}`" in text
    part = section(text, command)
    assert [option for option in sorted(options(command)) if option not in part] == []


def test_every_setting_is_documented_with_its_default() -> None:
    text = (DOCS / "commands.md").read_text()
    for kind, prefix in ((Settings, ""), (Training, "training.")):
        for field in fields(kind):
            if field.default is not MISSING:
                shown = {True: "true", False: "false"}.get(field.default) if isinstance(field.default, bool) else field.default
                cell = f"`{shown}`" if isinstance(field.default, str) else str(shown)
                assert f"| `{prefix}{field.name}` | {cell} |" in text


def test_every_option_of_an_engine_is_documented() -> None:
    part = section((DOCS / "commands.md").read_text(), "register_engine")
    named = {option for options in ENGINE_OPTIONS.values() for option in options}
    assert [option for option in sorted(named) if f"| `{option}` |" not in part] == []


def test_every_format_is_documented() -> None:
    text = (DOCS / "importing.md").read_text()
    assert [kind for kind in FORMATS if f"| `{kind}` |" not in text] == []


@pytest.mark.django_db
def test_conversion_of_seal_tools_gives_samples(project: object, data_dir: Path, tmp_path: Path) -> None:
    script = re.search(r"```python\n(.*?)```", (DOCS / "importing.md").read_text(), re.DOTALL)
    assert script
    (tmp_path / "seal_tools.py").write_text(script[1])
    source = data_dir / "train" / "seal-tools"
    with (tmp_path / "seal.jsonl").open("w") as out:
        words = [sys.executable, str(tmp_path / "seal_tools.py"), str(source / "tool.jsonl"), str(source / "dev.jsonl")]
        subprocess.run(words, stdout=out, check=True, timeout=60)
    report = import_dataset(project, "seal", tmp_path / "seal.jsonl", heldout_share=0.1)
    assert report.skipped == 0
    assert report.calls > 500
