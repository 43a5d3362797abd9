"""The lines of a pool or of refine pairs: a sample as an import reads it, and what an iteration found out about it.

A sample's content is the better part of its line, and stands there as it is stored: it is cut open, not read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast

from curation.models import Decision, Iteration, RefinePair, Verdict
from toolcalls.prompts import REFINE_PROMPT
from toolcalls.records import Sample
from toolcalls.selection import truth_text
from toolcalls.settings import Settings
from toolcalls.wire import call_from_json

ABOUT = ("number", "sha256")  # of the version
JUDGED = (
    "outcome", "attempts", "exact_hits", "approximate_hits", "first_hit", "reason", "reasons", "other_answer", "other_count",
    "comparator",
)  # fmt: skip
PAIR = ("identical_exact", "identical_text", "first_answer")
_TRUTH, _TEXT = ', "truth": ', ', "truth_text": '
_decode = json.JSONDecoder().raw_decode
_encode = json.JSONEncoder(ensure_ascii=False).encode


def verdict_lines(iteration: Iteration, turn: int, chosen: Sequence[int]) -> dict[int, str]:
    """The line of each of these verdicts of a turn, newline included, by the verdict's id."""
    columns = ("pk", "sample_id", "version_id", "change", *(f"version__{name}" for name in ABOUT), *JUDGED)
    rows = Verdict.objects.filter(pk__in=chosen).values_list(Cast("version__content", TextField()), *columns)
    found = {row[1]: row for row in rows}
    decisions = _decisions(iteration, turn, [row[2] for row in found.values()])
    pairs = _pairs(iteration, [row[3] for row in found.values()]) if turn else {}
    lines, settings = {}, iteration.run.choices
    for pk, (content, _, sample, version, change, number, sha256, *judged) in found.items():
        fields = {"version": number, "sha256": sha256, "verdict": dict(zip(JUDGED, judged, strict=True))}
        fields["decision"] = decisions.get(sample)
        if turn:
            fields |= _pair(change, pairs[version], content, settings)
        lines[pk] = f"{content[:-1]}, {_encode(fields)[1:]}\n"
    return lines


def _decisions(iteration: Iteration, turn: int, samples: Sequence[int]) -> dict[int, dict[str, Any]]:
    standing = Decision.objects.standing().filter(run_id=iteration.run_id, turn=turn, sample__in=samples)
    if turn:
        standing = standing.filter(iteration=iteration)
    rows = standing.values_list("sample_id", "kind", "why", "at")
    return {sample: {"kind": kind, "why": why, "at": at.isoformat()} for sample, kind, why, at in rows}


def _pairs(iteration: Iteration, versions: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = RefinePair.objects.filter(iteration=iteration, version__in=versions).values_list("version_id", *PAIR)
    return {version: dict(zip(PAIR, values, strict=True)) for version, *values in rows}


def _pair(change: str, pair: dict[str, Any], content: str, settings: Settings) -> dict[str, Any]:
    """With its target, as the pair's training row has it."""
    truth, text = stored_truth(content)
    calls = tuple(call_from_json(call) for call in truth or ()) or None
    as_written = settings.stop_target == "first_answer" and pair["identical_exact"] and calls is not None
    target = pair["first_answer"] if as_written else truth_text(Sample("", (), (), calls, text))
    return {"change": change, **pair, "refine_prompt": REFINE_PROMPT, "target": target}


def stored_truth(content: str) -> tuple[Any, str | None]:
    """`truth` and `truth_text` of a stored content, read without the tools, which are the better part of it.

    Contents are written by `to_json`: after these two come texts only, in which quotation marks are escaped, so the last
    `truth_text` is the sample's own, and so is the `truth` whose value ends there. What is written otherwise is read whole.
    """
    text_at = truth_at = content.rfind(_TEXT)
    while (truth_at := content.rfind(_TRUTH, 0, max(truth_at, 0))) >= 0:
        truth, end = _decode(content, truth_at + len(_TRUTH))
        if end == text_at:
            return truth, _decode(content, text_at + len(_TEXT))[0]
    fields = json.loads(content)
    return fields.get("truth"), fields.get("truth_text")
