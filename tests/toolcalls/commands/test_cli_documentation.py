"""docs/toolcalls-cli.md shows what the commands answer, and names every option and verdict."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from toolcalls.commands import comparing, parsing, scoring
from toolcalls.selection import REASONS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "toolcalls-cli.md").read_text(encoding="utf-8")
EXAMPLES = [
    (command, answer.strip("\n"))
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for command, answer in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE)
]


def _answer(command: str, **environ: str) -> str:
    """What a command of the page prints, errors included."""
    line = command.replace("python -m toolcalls", f"{sys.executable} -m toolcalls")
    done = subprocess.run(
        ["bash", "-c", line],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env={**os.environ, **environ},
        timeout=60,
        check=False,
    )
    return done.stdout.decode().strip("\n")


@pytest.mark.process
@pytest.mark.parametrize(("command", "answer"), [example for example in EXAMPLES if "WHETSTONE_DATA" not in example[0]])
def test_example_answers_as_the_page_says(command: str, answer: str) -> None:
    assert _answer(command) == answer


@pytest.mark.process
@pytest.mark.parametrize(("command", "answer"), [example for example in EXAMPLES if "WHETSTONE_DATA" in example[0]])
def test_example_with_data_answers_as_the_page_says(command: str, answer: str, data_dir: Path) -> None:
    assert _answer(command, WHETSTONE_DATA=str(data_dir)) == answer


def test_every_command_has_examples() -> None:
    shown = {match[1] for command, _ in EXAMPLES if (match := re.search(r"-m toolcalls (\w+)", command))}
    assert shown == {"parse", "compare", "score"}


def test_every_option_is_named() -> None:
    for command in (parsing, comparing, scoring):
        parser = argparse.ArgumentParser(add_help=False)
        command.add_arguments(parser)
        for option in re.findall(r"--[a-z-]+", parser.format_usage()):
            assert f"`{option}" in PAGE or f" {option} " in PAGE, option


def test_every_verdict_of_compare_is_named() -> None:
    for verdict in ("exact", "approximate", "no_call", *REASONS):
        assert f"`{verdict}`" in PAGE or verdict in ("truncated", "too_long")  # these need an engine's word
