"""A pool line: one sample and what the stages of an iteration have found out about it so far, as a JSON line between commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolcalls.errors import InputError
from toolcalls.records import Generation, Sample, Verdict
from toolcalls.wire import Fields, generation_from_json, sample_from_json, to_json, verdict_from_json


@dataclass(frozen=True, slots=True)
class PoolLine:
    """None: that stage has not run. A refine turn of no generations: there was no usable first answer."""

    sample: Sample
    direct: tuple[Generation, ...]
    direct_verdict: Verdict | None = None
    first_answer: Generation | None = None  # A₁
    refine: tuple[Generation, ...] | None = None
    refine_verdict: Verdict | None = None


def line_json(line: PoolLine) -> dict[str, Any]:
    """The line as JSON; stages that have not run are left out."""
    fields: dict[str, Any] = {"sample": to_json(line.sample), "direct": [to_json(answer) for answer in line.direct]}
    if line.direct_verdict is not None:
        fields["direct_verdict"] = to_json(line.direct_verdict)
    if line.refine is not None:
        fields["first_answer"] = None if line.first_answer is None else to_json(line.first_answer)
        fields["refine"] = [to_json(answer) for answer in line.refine]
    if line.refine_verdict is not None:
        fields["refine_verdict"] = to_json(line.refine_verdict)
    return fields


def line_from_json(data: Any, where: str = "pool line") -> PoolLine:
    """The inverse of line_json. Raises InputError."""
    fields = Fields(data, where)
    given = fields.data

    def verdict(name: str) -> Verdict | None:
        return None if given.get(name) is None else verdict_from_json(given[name], f"{where}, {name}")

    if not given.get("direct"):
        raise InputError(f"{where}: field 'direct' holds no generation; run `sample` first")
    first = given.get("first_answer")
    return PoolLine(
        sample=sample_from_json(fields.get("sample", dict), f"{where}, sample"),
        direct=fields.items("direct", generation_from_json),
        direct_verdict=verdict("direct_verdict"),
        first_answer=None if first is None else generation_from_json(first, f"{where}, first_answer"),
        refine=fields.items("refine", generation_from_json) if "refine" in given else None,
        refine_verdict=verdict("refine_verdict"),
    )
