"""Our own form: one sample a row, as `wire` reads it; the truth may be a text too, calls in any form or words."""

from __future__ import annotations

from typing import Any

from toolcalls.errors import InputError
from toolcalls.formats.assistant_turns import written
from toolcalls.records import Sample
from toolcalls.wire import sample_from_json


def from_whetstone(row: dict[str, Any]) -> Sample:
    """Raises InputError when the row is no sample, or its truth cannot be read."""
    truth = row.get("truth")
    return sample_from_json({**row, **_read(truth, row)} if isinstance(truth, str) else row, "sample")


def _read(truth: str, row: dict[str, Any]) -> dict[str, Any]:
    """The fields `truth` and `truth_text` of a truth that is a text."""
    said = written(truth)
    if said.problem:
        raise InputError(f"sample: field 'truth' {said.problem}; correct it")
    calls = None if said.calls is None else [{"name": call.name, "arguments": call.arguments} for call in said.calls]
    return {"truth": calls, "truth_text": row.get("truth_text") or truth}
