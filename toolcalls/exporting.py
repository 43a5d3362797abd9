"""Rows as lines of the files that trainers read. One JSON object a line, without the newline."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from toolcalls.prompts import REFINE_PROMPT, SYSTEM_PROMPTS
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


def trl_spliced(line: bytes) -> bytes:
    """`trl_line` of the row whose `whetstone_line` this is, cut out of it: both write the same values in the same way.

    No text within the line can look like the two places of the cut, because its quotation marks are escaped.
    """
    messages, _, target = line.partition(b', "messages": ')[2].rpartition(b', "target": ')
    return b"".join((b'{"prompt": ', messages, b', "completion": [{"role": "assistant", "content": ', target[:-1], b"}]}"))


def templates_sha256() -> str:
    """sha256, hex, of the set of system prompts and the refine prompt that this version of the program renders with."""
    return hashlib.sha256(json.dumps([*SYSTEM_PROMPTS, REFINE_PROMPT]).encode()).hexdigest()


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False)
