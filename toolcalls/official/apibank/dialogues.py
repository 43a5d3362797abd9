"""API-Bank's level-1 dialogues, as the folder `apibank` holds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolcalls.errors import InputError
from toolcalls.official.apibank import score
from toolcalls.official.question_files import read_objects
from toolcalls.official.scored import Scored

CATEGORY = "apibank_level1_call"
_LEVEL = "level-1-given-desc"


class Dialogues:
    """Judges outputs by the turn that they stand for: `FILE#N` is the N-th API turn of a dialogue, counted from 1."""

    def __init__(self, folder: Path) -> None:
        files = sorted((folder / _LEVEL).glob("*.jsonl"))
        if not files:
            raise InputError(f"{folder / _LEVEL}: holds no dialogues; name the folder that holds the benchmarks")
        self._turns = {turn: truth for path in files for turn, truth in _api_turns(path)}
        self._tokens = frozenset(_tokens(self._turns.values()))

    def score(self, sample_id: str, category: str, mode: str, output_text: str) -> Scored:
        """Raises InputError for what is no turn here, and for another mode than "prompt"."""
        if (category, mode) != (CATEGORY, "prompt"):
            raise InputError(f"category {category!r}, mode {mode!r}: API-Bank scores {CATEGORY!r} of mode 'prompt'")
        if sample_id not in self._turns:
            raise InputError(f"sample_id {sample_id!r}: no API turn of a level-1 dialogue")
        return score(output_text, self._turns[sample_id], self._tokens)


def _api_turns(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    turns = (turn for turn in read_objects(path) if turn.get("role") == "API")
    return ((f"{path.stem}#{number}", turn) for number, turn in enumerate(turns, start=1))


def _tokens(turns: Any) -> Iterator[str]:
    """Tokens that the evaluator's databases know: those which a recorded call got from them."""
    for turn in turns:
        if turn["api_name"] == "GetUserToken" and turn["result"]["output"]:
            yield turn["result"]["output"]["token"]
