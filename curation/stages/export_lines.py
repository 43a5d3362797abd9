"""The lines of a pool or of refine pairs: a sample as an import reads it, and what an iteration found out about it.

A sample's content is the better part of its line, and stands there as it is stored: it is cut open, not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from json.encoder import encode_basestring as quoted  # a text as JSON, its letters as they are
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from curation.models import Decision, Iteration, RefinePair, Verdict
from curation.stages.export_ahead import Rows, among
from toolcalls.answers import Call
from toolcalls.prompts import REFINE_PROMPT
from toolcalls.selection import written_truth
from toolcalls.settings import Settings

COLUMNS = (
    "pk", "sample_id", "version_id", "change", "version__number", "version__sha256", "outcome", "attempts", "exact_hits",
    "approximate_hits", "first_hit", "reason", "other_answer", "other_count", "comparator",
    "censored",
)  # fmt: skip
DECISION = ("sample_id", "kind", "why", "at")
_TRUTH, _TEXT = ', "truth": ', ', "truth_text": '
_BOOL = {True: "true", False: "false"}
_REFINE_PROMPT = quoted(REFINE_PROMPT)
_decode = json.JSONDecoder().raw_decode


def queries(iteration: Iteration, turn: int) -> list[QuerySet[Any, Any]]:
    """What is to be known of a chunk of a turn's verdicts, for `verdict_lines`."""
    chosen = Verdict.objects.filter(among("pk"))
    texts = (Cast("version__content", TextField()), Cast("reasons", TextField()))
    standing = Decision.objects.standing().filter(run_id=iteration.run_id, turn=turn, sample__in=chosen.values("sample_id"))
    if not turn:
        return [chosen.values_list(*texts, *COLUMNS), standing.values_list(*DECISION)]
    pairs = RefinePair.objects.filter(iteration=iteration, version__in=chosen.values("version_id"))
    return [
        chosen.values_list(*texts, *COLUMNS),
        standing.filter(iteration=iteration).values_list(*DECISION),
        pairs.values_list("version_id", "identical_exact", "identical_text", "first_answer"),
    ]


def verdict_lines(settings: Settings, verdicts: Rows, decided: Rows, pairs: Rows = ()) -> Iterator[tuple[int, bytes]]:
    """Each verdict's id and line, newline included, of the rows that `queries` find; with pairs, of the refine turn."""
    decisions = {sample: json.dumps({"kind": kind, "why": why, "at": at.isoformat()}) for sample, kind, why, at in decided}
    refined = {version: (exact, text, first) for version, exact, text, first in pairs}
    for content, reasons, pk, sample, version, change, number, sha256, *judged in verdicts:
        about = f'"version": {number}, "sha256": "{sha256}", "verdict": {_verdict(reasons, *judged)}'
        pair = _pair(change, *refined[version], content, settings) if refined else ""
        # One by one: a text with one wide letter takes twice the memory and many times as long to encode.
        yield pk, f'{content[:-1]}, {about}, "decision": {decisions.get(sample, "null")}{pair}}}\n'.encode()


def _verdict(
    reasons: str, outcome: str, attempts: int, exact: int, approximate: int, first: int | None, reason: str, other: str | None,
    count: int, comparator: str, censored: bool,
) -> str:  # fmt: skip
    """Written by hand: a line's verdict would take a JSON encoder as long as all the rest of it."""
    return (
        f'{{"outcome": {quoted(outcome)}, "attempts": {attempts}, "exact_hits": {exact}, "approximate_hits": {approximate}, '
        f'"first_hit": {"null" if first is None else first}, "reason": {quoted(reason)}, "reasons": {reasons}, '
        f'"other_answer": {"null" if other is None else quoted(other)}, "other_count": {count}, '
        f'"comparator": {quoted(comparator)}, "censored": {_BOOL[censored]}}}'
    )


def _pair(change: str, exact: bool, text: bool, first: str, content: str, settings: Settings) -> str:
    """With its target, as the pair's training row has it."""
    truth, written = stored_truth(content)
    calls = tuple(Call(call["name"], call["arguments"]) for call in truth or ()) or None
    as_written = settings.stop_target == "first_answer" and exact and calls is not None
    target = first if as_written else written_truth(calls, written)
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
