"""docs/importing.md says how many samples public files give: as many as they do."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from toolcalls.importing import RowError, read_samples
from toolcalls.records import Sample

DOCS = Path(__file__).resolve().parents[2] / "docs" / "importing.md"
COUNTED = re.findall(r"^\| `(\S+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)


def counts(lines: Iterable[bytes] | Iterable[str]) -> tuple[int, int, list[RowError]]:
    """Samples that call tools, samples in words, errors."""
    found = list(read_samples(lines))
    kinds = Counter("words" if each.truth is None else "calls" for each in found if isinstance(each, Sample))
    return kinds["calls"], kinds["words"], [each for each in found if isinstance(each, RowError)]


@pytest.mark.parametrize(("path", "calls", "words", "refused"), [pytest.param(*row, id=row[0]) for row in COUNTED])
def test_public_files_give_the_samples_that_the_documentation_says(
    data_dir: Path, path: str, calls: str, words: str, refused: str
) -> None:
    with (data_dir / path).open("rb") as lines:
        *found, wrong = counts(lines)
    assert [f"{count:,}" for count in (*found, len(wrong))] == [calls, words, refused], wrong[:3]


def test_every_file_of_training_data_is_in_the_documentation(data_dir: Path) -> None:
    listed = {path for path, *_ in COUNTED}
    there = {str(path.relative_to(data_dir)) for path in (data_dir / "train").rglob("*.json*")}
    assert there <= listed


def test_all_public_files_are_read_or_refused_in_words(data_dir: Path) -> None:
    for path in sorted((data_dir / "formats").iterdir()):
        with path.open("rb") as lines:
            *_, wrong = counts(lines)
        assert all(each.line >= 1 and len(each.message) > 10 for each in wrong), path


def with_answers(questions: Path) -> list[str]:
    """BFCL's questions, each with the answer of the file of the same name."""
    answers = questions.parent / "possible_answer" / questions.name
    pairs = zip(*(path.read_text(encoding="utf-8").splitlines() for path in (questions, answers)), strict=True)
    return [json.dumps(json.loads(question) | json.loads(answer)) for question, answer in pairs]


def test_bfcl_s_single_turn_questions_are_samples_but_for_two(data_dir: Path) -> None:
    refused = []
    for path in sorted((data_dir / "bfcl" / "possible_answer").iterdir()):
        calls, words, wrong = counts(with_answers(data_dir / "bfcl" / path.name))
        assert (calls > 0, words) == (True, 0)
        refused += wrong
    assert [str(each).partition(": ")[2] for each in refused] == [
        "ground_truth[0]: 'auto_loan_payment_start' has no accepted value",
        "ground_truth[0]: 'acc_routing_start' has no accepted value",
    ]
