"""docs/comparing.md says how many answers of public data break their own tools' descriptions: as many as do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolcalls.answers import Call
from toolcalls.importing import read_samples
from toolcalls.records import Sample
from toolcalls.schema import Tool, check, tool_name

DOCS = Path(__file__).resolve().parents[2] / "docs" / "comparing.md"
COUNTED = re.findall(r"^\| `(\S+)` \| ([\d,]+) \| (\d+) \| (.*) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
Answers = Iterator[tuple[list[Call], list[Tool]]]


def of_bfcl(folder: Path) -> Answers:
    for answers in sorted((folder / "possible_answer").iterdir()):
        pairs = zip(*(path.read_text(encoding="utf-8").splitlines() for path in (folder / answers.name, answers)), strict=True)
        rows = [json.dumps(json.loads(question) | json.loads(answer)) for question, answer in pairs]
        yield from of_samples(rows)


def of_acebench(folder: Path) -> Answers:
    for questions in sorted(folder.glob("data_*.json")):
        answers = (folder / "possible_answer" / questions.name).read_text(encoding="utf-8").splitlines()
        truths = {row["id"]: row["ground_truth"] for row in map(json.loads, answers)}
        for row in map(json.loads, questions.read_text(encoding="utf-8").splitlines()):
            names = {tool_name(tool) for tool in row["function"]}
            for truth in truths[row["id"]] if isinstance(truths[row["id"]], list) else [truths[row["id"]]]:
                named = ((name if name in names else name.rpartition("_")[0], values) for name, values in truth.items())
                yield [Call(name, values) for name, values in named], row["function"]


def of_samples(lines: list[str]) -> Answers:
    for sample in read_samples(lines):
        if isinstance(sample, Sample) and sample.truth is not None:
            yield list(sample.truth), list(sample.tools)


def answers_of(path: Path) -> Answers:
    if path.is_dir():
        return of_bfcl(path) if path.name == "bfcl" else of_acebench(path)
    return of_samples(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(("path", "answers", "breaking", "kinds"), [pytest.param(*row, id=row[0]) for row in COUNTED])
def test_public_answers_break_their_tools_descriptions_as_often_as_documented(
    data_dir: Path, path: str, answers: str, breaking: str, kinds: str
) -> None:
    checked = [check(calls, tools) for calls, tools in answers_of(data_dir / path)]
    broken = [problems for problems in checked if problems]
    found = sorted({problem.kind for problems in broken for problem in problems})
    assert [f"{len(checked):,}", str(len(broken)), ", ".join(found)] == [answers, breaking, kinds]
