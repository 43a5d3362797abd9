"""ACEBench's English questions and answers, as the folder `acebench` holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolcalls.errors import InputError
from toolcalls.official.acebench import CATEGORIES, score
from toolcalls.official.question_files import read_objects
from toolcalls.official.scored import Scored


class Questions:
    """Judges outputs by the ids of their questions."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError where the folder holds none of the categories or a file cannot be read."""
        files = {category: folder / "data_en" / f"data_{category}.json" for category in CATEGORIES}
        self._categories = {category: _questions(path) for category, path in files.items() if path.exists()}
        if not self._categories:
            raise InputError(f"{folder / 'data_en'}: holds no questions; name the folder that holds the benchmarks")

    def score(self, sample_id: str, category: str, mode: str, output_text: str) -> Scored:
        """Raises InputError for what is no question here, and for another mode than "prompt": the scorer takes texts alone."""
        if mode != "prompt":
            raise InputError(f"mode {mode!r}: ACEBench scores outputs of mode 'prompt'")
        if category not in self._categories:
            raise InputError(f"category {category!r}: there are {', '.join(self._categories)}")
        if sample_id not in self._categories[category]:
            raise InputError(f"sample_id {sample_id!r}: no question of {category}")
        functions, answer = self._categories[category][sample_id]
        return score(output_text, functions, answer)


def _questions(path: Path) -> dict[str, tuple[Any, Any]]:
    """Tools and answer by question."""
    answers = {row["id"]: row["ground_truth"] for row in read_objects(path.parent / "possible_answer" / path.name)}
    return {row["id"]: (row["function"], answers[row["id"]]) for row in read_objects(path)}
