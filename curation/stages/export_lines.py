"""The lines of a pool or of refine pairs: a sample as an import reads it, and what an iteration found out about it.

A sample's content is the better part of its line, and stands there as it is stored: it is cut open, not read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from json.encoder import encode_basestring as quoted  # a text as JSON, its letters as they are
from typing import Any

from django.db.models import BooleanField, F, Func, TextField, Value
from django.db.models.functions import Cast

from curation.models import Decision, Iteration, RefinePair, Verdict
from toolcalls.answers import Call
from toolcalls.prompts import REFINE_PROMPT
from toolcalls.records import Sample
from toolcalls.selection import truth_text
from toolcalls.settings import Settings

COLUMNS = (
    "pk", "sample_id", "version_id", "change", "version__number", "version__sha256", "outcome", "attempts", "exact_hits",
    "approximate_hits", "first_hit", "reason", "other_answer", "other_count", "comparator",
)  # fmt: skip
_TRUTH, _TEXT = ', "truth": ', ', "truth_text": '
_BOOL = {True: "true", False: "false"}
_REFINE_PROMPT = quoted(REFINE_PROMPT)
_decode = json.JSONDecoder().raw_decode


def verdict_lines(iteration: Iteration, turn: int, chosen: Sequence[int]) -> dict[int, str]:
    """The line of each of these verdicts of a turn, newline included, by the verdict's id."""
    texts = (Cast("version__content", TextField()), Cast("reasons", TextField()))
    rows = Verdict.objects.filter(_among("pk", chosen)).values_list(*texts, *COLUMNS)
    found = {row[2]: row for row in rows}
    decisions = _decisions(iteration, turn, [row[3] for row in found.values()])
    pairs = _pairs(iteration, [row[4] for row in found.values()]) if turn else {}
    lines, settings = {}, iteration.run.choices
    for pk, (content, reasons, _, sample, version, change, number, sha256, *judged) in found.items():
        about = f'"version": {number}, "sha256": "{sha256}", "verdict": {_verdict(reasons, *judged)}'
        pair = _pair(change, *pairs[version], content, settings) if turn else ""
        lines[pk] = f'{content[:-1]}, {about}, "decision": {decisions.get(sample, "null")}{pair}}}\n'
    return lines


def _among(column: str, ids: Sequence[int]) -> Func:
    """Whether a column's value is one of `ids`: as one array they take far less of Python's time than as many parameters."""
    array = Value(f"{{{','.join(map(str, ids))}}}")
    return Func(F(column), array, template="%(expressions)s::bigint[])", arg_joiner=" = ANY(", output_field=BooleanField())


def _verdict(
    reasons: str, outcome: str, attempts: int, exact: int, approximate: int, first: int | None, reason: str, other: str | None,
    count: int, comparator: str,
) -> str:  # fmt: skip
    """Written by hand: a line's verdict would take a JSON encoder as long as all the rest of it."""
    return (
        f'{{"outcome": {quoted(outcome)}, "attempts": {attempts}, "exact_hits": {exact}, "approximate_hits": {approximate}, '
        f'"first_hit": {"null" if first is None else first}, "reason": {quoted(reason)}, "reasons": {reasons}, '
        f'"other_answer": {"null" if other is None else quoted(other)}, "other_count": {count}, '
        f'"comparator": {quoted(comparator)}}}'
    )


def _decisions(iteration: Iteration, turn: int, samples: Sequence[int]) -> dict[int, str]:
    standing = Decision.objects.standing().filter(_among("sample_id", samples), run_id=iteration.run_id, turn=turn)
    if turn:
        standing = standing.filter(iteration=iteration)
    rows = standing.values_list("sample_id", "kind", "why", "at")
    return {sample: json.dumps({"kind": kind, "why": why, "at": at.isoformat()}) for sample, kind, why, at in rows}


def _pairs(iteration: Iteration, versions: Sequence[int]) -> dict[int, tuple[bool, bool, str]]:
    rows = RefinePair.objects.filter(_among("version_id", versions), iteration=iteration)
    fields = ("version_id", "identical_exact", "identical_text", "first_answer")
    return {version: (exact, text, first) for version, exact, text, first in rows.values_list(*fields)}


def _pair(change: str, exact: bool, text: bool, first: str, content: str, settings: Settings) -> str:
    """With its target, as the pair's training row has it."""
    truth, written = stored_truth(content)
    calls = tuple(Call(call["name"], call["arguments"]) for call in truth or ()) or None
    as_written = settings.stop_target == "first_answer" and exact and calls is not None
    target = first if as_written else truth_text(Sample("", (), (), calls, written))
    return (
        f', "change": {quoted(change)}, "identical_exact": {_BOOL[exact]}, "identical_text": {_BOOL[text]}, '
        f'"first_answer": {quoted(first)}, "refine_prompt": {_REFINE_PROMPT}, "target": {quoted(target)}'
    )


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
