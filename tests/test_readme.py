"""Every command in the README is one that exists, with options that it takes."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from django.core.management import get_commands, load_command_class
from django.urls import resolve

from curation.api.review import NewDecision
from curation.api.site import api

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text()
COMMANDS = [line.strip() for line in re.findall(r"^    (\S.*)$", README, re.MULTILINE)]


def commands_that_begin(*words: str) -> list[list[str]]:
    """The README's command lines that begin with these words, without them."""
    found = [shlex.split(line.rstrip("&")) for line in COMMANDS]
    return [line[len(words) :] for line in found if tuple(line[: len(words)]) == words]


def test_every_line_is_of_a_kind_that_is_tested() -> None:
    kinds = (
        ("make",), ("python", "manage.py"), ("python", "-m", "trainer"), ("export",), ("pip", "install"), ("celery",), ("curl",)
    )  # fmt: skip
    known = sum(len(commands_that_begin(*kind)) for kind in kinds)
    assert known == len(COMMANDS) > 0


@pytest.mark.parametrize("target", [line[0] for line in commands_that_begin("make")])
def test_make_has_the_target(target: str) -> None:
    assert re.search(rf"^{target}:", (PROJECT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", commands_that_begin("python", "manage.py"), ids=" ".join)
def test_manage_takes_the_command(line: list[str]) -> None:
    name, *arguments = line
    command = load_command_class(get_commands()[name], name)
    parsed = command.create_parser("manage.py", name).parse_args(arguments)
    assert isinstance(parsed, argparse.Namespace)


def test_trainer_takes_its_commands() -> None:
    lines = commands_that_begin("python", "-m", "trainer")
    code = (
        'import json, sys; from trainer.arguments import parser; [parser("").parse_args(line) for line in json.load(sys.stdin)]'
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, input=json.dumps(lines), text=True, cwd=PROJECT, capture_output=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", commands_that_begin("curl"), ids=lambda line: line[-1])
def test_the_api_has_the_address_and_takes_what_is_sent(line: list[str]) -> None:
    asked = urlsplit(line[-1].replace("$API", "/api/v1"))
    method = "post" if "-d" in line else "get"
    route = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{resolve(asked.path).route}")
    operation = api.get_openapi_schema()["paths"][route][method]
    assert set(parse_qs(asked.query)) <= {one["name"] for one in operation["parameters"] if one["in"] == "query"}
    if method == "post":
        NewDecision(**json.loads(line[line.index("-d") + 1]))


def test_the_extras_exist() -> None:
    line, again = commands_that_begin("pip", "install")
    extras = re.findall(r"\w[\w-]*", line[-1].partition("[")[2])
    declared = (PROJECT / "pyproject.toml").read_text()
    assert extras and all(re.search(rf"^{extra} = \[", declared, re.MULTILINE) for extra in extras)
    assert f'"{again[-1]}"' in declared  # as curation.api says it, too


def test_every_environment_variable_is_listed() -> None:
    example = (PROJECT / ".env.example").read_text()
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", README)) - {"PIP_EXTRA_INDEX_URL"}
    assert named and all(name in example for name in named)


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", README)
    assert targets and all((PROJECT / target).exists() for target in targets)
