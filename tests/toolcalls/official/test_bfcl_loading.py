from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from toolcalls.errors import InputError
from toolcalls.official.bfcl import CATEGORIES, Questions, score

TOOL = {"name": "f", "parameters": {"type": "dict", "required": [], "properties": {}}}


def _folder(path: Path, **files: list[dict[str, object]]) -> Questions:
    (path / "possible_answer").mkdir()
    for name, records in files.items():
        where = path / "possible_answer" if name.startswith("answers_") else path
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (where / f"BFCL_v4_{name.removeprefix('answers_')}.json").write_text(lines, encoding="utf-8")
    return Questions(path)


def test_a_question_has_its_tools_and_its_answer(tmp_path: Path) -> None:
    answer = {"id": "m_0", "ground_truth": [{"f": {}}]}
    questions = _folder(tmp_path, multiple=[{"id": "m_0", "function": [TOOL]}], answers_multiple=[answer])
    question = questions.question("multiple", "m_0")
    assert (question.functions, question.answer) == ([TOOL], [{"f": {}}])


def test_a_question_about_relevance_has_no_answer(tmp_path: Path) -> None:
    questions = _folder(tmp_path, live_relevance=[{"id": "r_0", "function": [TOOL]}])
    assert questions.question("live_relevance", "r_0").answer is None


@pytest.mark.parametrize(
    ("category", "sample_id", "message"),
    [
        ("multi_turn_base", "m_0", "is none of simple_python, "),
        ("multiple", "m_1", "multiple has no question 'm_1'"),
        ("parallel", "p_0", "'p_0' is missing"),
        ("live_simple", "l_0", "cannot be read"),
    ],
)
def test_what_the_folder_has_not_is_told(tmp_path: Path, category: str, sample_id: str, message: str) -> None:
    answers = [{"id": "m_0", "ground_truth": [{"f": {}}]}]
    question = {"function": [TOOL]}
    files = {"multiple": [{"id": "m_0"} | question], "answers_multiple": answers, "parallel": [{"id": "p_0"} | question]}
    with pytest.raises(InputError, match=message):
        _folder(tmp_path, **files, answers_parallel=answers).question(category, sample_id)


def test_every_category_of_the_benchmark_loads(data_dir: Path) -> None:
    questions = Questions(data_dir / "bfcl")
    for category in CATEGORIES:
        lines = (data_dir / "bfcl" / f"BFCL_v4_{category}.json").read_text(encoding="utf-8").splitlines()
        for line in lines:
            record = json.loads(line)
            question = questions.question(category, record["id"])
            assert question.functions == record["function"]
            assert (question.answer is None) == ("relevance" in category)


@pytest.mark.parametrize("language", ["java", "javascript"])
def test_a_missing_parser_is_told_with_its_remedy(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, f"toolcalls.official.bfcl.{language}", raising=False)
    monkeypatch.setitem(sys.modules, f"tree_sitter_{language}", None)
    with pytest.raises(InputError, match=r"pip install 'whetstone\[official\]'"):
        score(f"simple_{language}", "prompt", "f()", [TOOL], [{"f": {}}])
