"""The rows of the pool and of the refine pairs: what was asked, the truth, how the attempts fared, what differs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from curation.models import Iteration, RefinePair, SampleVersion, Verdict
from curation.pages.comments_view import comment_counts
from curation.pages.strips import Strip, strips
from curation.pages.verdict_words import CHANGES, DECIDED, DECISION_TONES, tone_of
from curation.stages.facets import label_of
from curation.stages.pool import comparator_of
from toolcalls.answers import Calls, ParseFailure
from toolcalls.comparing import Comparator
from toolcalls.differing import align, summary
from toolcalls.errors import InputError
from toolcalls.records import Sample
from toolcalls.rendering import render
from toolcalls.selection import answer_of
from toolcalls.wire import sample_from_json

QUERY, TRUTH = 320, 200  # characters that a row shows


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """`wrong` tells the most frequent answer that is no hit (the pool), or what A₁ had wrong (pairs); `times` how often."""

    sample: int
    key: str
    query: str
    truth: str
    category: str
    tools: int
    calls: int | None
    hits: int
    exact: int
    attempts: int
    censored: bool  # it stopped at its first hit: hits are a lower bound
    outcome: str
    tone: str
    strip: Strip | None
    change: str
    change_tone: str
    wrong: str
    times: int
    decision: str
    decision_label: str
    decision_tone: str
    comments: int


def verdict_rows(iteration: Iteration, turn: int, verdicts: Sequence[Verdict]) -> list[VerdictRow]:
    """Four queries, whatever the number of verdicts (three for the pool)."""
    samples = [verdict.sample_id for verdict in verdicts]
    contents = _contents([verdict.version_id for verdict in verdicts])
    seen, said = strips(iteration, turn, samples), comment_counts(iteration.run_id, samples)
    first = _first_answers(iteration, verdicts) if turn else {}
    comparator = comparator_of(iteration.run.choices)
    return [
        _row(
            verdict,
            contents.get(verdict.version_id),
            seen.get(verdict.sample_id),
            said,
            first.get(verdict.version_id),
            comparator,
        )
        for verdict in verdicts
    ]


def _contents(versions: Collection[int]) -> dict[int, Sample]:
    found = {}
    for pk, content in SampleVersion.objects.filter(pk__in=versions).values_list("pk", "content"):
        try:
            found[pk] = sample_from_json(content)
        except InputError:
            continue  # the row says so; the rest of the page is not lost for it
    return found


def _first_answers(iteration: Iteration, verdicts: Sequence[Verdict]) -> dict[int, str]:
    pairs = RefinePair.objects.filter(iteration=iteration, version__in=[verdict.version_id for verdict in verdicts])
    return dict(pairs.values_list("version_id", "first_answer"))


def _row(
    verdict: Verdict,
    sample: Sample | None,
    strip: Strip | None,
    said: dict[int, int],
    first: str | None,
    comparator: Comparator,
) -> VerdictRow:
    other = first if verdict.turn else verdict.other_answer
    change, change_tone = CHANGES.get(verdict.change, ("", ""))
    return VerdictRow(
        sample=verdict.sample_id,
        key=verdict.sample.key,
        query=_query(sample),
        truth=one_line(truth_line(sample), TRUTH) if sample else "",
        category=verdict.category,
        tools=len(sample.tools) if sample else 0,
        calls=verdict.calls,
        hits=verdict.approximate_hits,
        exact=verdict.exact_hits,
        attempts=verdict.attempts,
        censored=verdict.censored,
        outcome=label_of("outcome", verdict.outcome),
        tone=tone_of(verdict.outcome),
        strip=strip,
        change=change,
        change_tone=change_tone,
        wrong=one_line(told(sample, other, comparator), TRUTH) if sample and other else "",
        times=1 if verdict.turn else verdict.other_count,
        decision=verdict.decision,
        decision_label=DECIDED.get(verdict.decision, ""),
        decision_tone=DECISION_TONES.get(verdict.decision, ""),
        comments=said.get(verdict.sample_id, 0),
    )


def _query(sample: Sample | None) -> str:
    if sample is None:
        return "This sample cannot be read."
    return one_line(sample.messages[-1].content, QUERY) if sample.messages else "(nothing was said)"


def truth_line(sample: Sample) -> str:
    return sample.truth_text or "" if sample.truth is None else render(sample.truth)


def told(sample: Sample, text: str, comparator: Comparator) -> str:
    """What an answer has other than the truth, on one line; the answer itself where the two cannot be compared."""
    answer: Any = answer_of(text, comparator)
    if sample.truth is None or not isinstance(answer, Calls):
        return f"cannot be read: {text}" if isinstance(answer, ParseFailure) else f"“{text.strip()}”"
    return summary(align(sample.truth, answer.calls, sample.tools, comparator))


def one_line(text: str, most: int) -> str:
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most else f"{line[:most]}…"
