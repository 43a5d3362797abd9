"""The benchmark's questions and answers, as its files `BFCL_v4_<category>.json` and `possible_answer/…` hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolcalls.errors import InputError
from toolcalls.official.question_files import read_objects

WITHOUT_ANSWERS = ("irrelevance", "live_irrelevance", "live_relevance")
CATEGORIES = (
    "simple_python",
    "simple_java",
    "simple_javascript",
    "multiple",
    "parallel",
    "parallel_multiple",
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
    *WITHOUT_ANSWERS,
)


@dataclass(frozen=True, slots=True)
class Question:
    """functions: the tools. answer: for each expected call, {name: {parameter: accepted values}}; None where none is expected."""

    functions: Sequence[Mapping[str, Any]]
    answer: Sequence[Mapping[str, Any]] | None


class Questions:
    """The benchmark's folder; a category's files are read when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, dict[str, Question]] = {}

    def question(self, category: str, sample_id: str) -> Question:
        """One question. Raises InputError for a category or an id that the folder has not."""
        if category not in self._read:
            if category not in CATEGORIES:
                raise InputError(f"category {category!r} is none of {', '.join(CATEGORIES)}")
            self._read[category] = _read_category(self._folder, category)
        try:
            return self._read[category][sample_id]
        except KeyError:
            raise InputError(f"{category} has no question {sample_id!r}") from None


def _read_category(folder: Path, category: str) -> dict[str, Question]:
    file = f"BFCL_v4_{category}.json"
    try:
        questions = _records(folder / file)
        if category in WITHOUT_ANSWERS:
            return {name: Question(record["function"], None) for name, record in questions.items()}
        answers = _records(folder / "possible_answer" / file)
        return {name: Question(record["function"], answers[name]["ground_truth"]) for name, record in questions.items()}
    except KeyError as error:
        raise InputError(f"{folder / file}: {error} is missing, there or among the possible answers") from None


def _records(path: Path) -> dict[str, Mapping[str, Any]]:
    return {record["id"]: record for record in read_objects(path)}
