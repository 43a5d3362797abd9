"""Rows as lines of the files that trainers read. One JSON object a line, without the newline."""

from __future__ import annotations

import json
from typing import Any

from toolcalls.records import Sample, TrainingRow
from toolcalls.wire import to_json


def sample_line(sample: Sample) -> str:
    """A sample in Whetstone's own JSONL; `importing.read_samples` reads it back unchanged."""
    return _line(to_json(sample))


def whetstone_line(row: TrainingRow, provenance: dict[str, Any] | None = None) -> str:
    """A training row in Whetstone's own JSONL, with where it comes from (run, iteration, decision) when given."""
    return _line(to_json(row) | ({} if provenance is None else {"provenance": provenance}))


def trl_line(row: TrainingRow) -> str:
    """A training row as TRL's conversational prompt-completion, whose loss falls on the completion only."""
    prompt = [to_json(message) for message in row.messages]
    return _line({"prompt": prompt, "completion": [{"role": "assistant", "content": row.target}]})


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False)
