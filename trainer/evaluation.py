"""The evaluation stage: greedy traces on held-out samples (ToolACE-R §3.3, Alg. 1; §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolcalls.adaptive import refine_traces
from toolcalls.comparing import comparator_of
from toolcalls.evaluation import Accuracy, TraceScore, accuracy, mean_turns, score_trace
from toolcalls.records import Sample
from toolcalls.settings import Settings
from toolcalls.tracing import answered
from trainer.answering import Asker
from trainer.engines.protocol import Engine


@dataclass(frozen=True, slots=True)
class Trace:
    """Answers A₀ … Aₙ to one sample, whether an end token ended each, and what they score."""

    sample_id: str
    answers: tuple[str, ...]
    finished: tuple[bool, ...]
    score: TraceScore


def evaluate(engine: Engine, samples: Sequence[Sample], settings: Settings) -> list[Trace]:
    """Trace and score every sample; those whose truth calls nothing are left out unless no_call_policy is any_no_call."""
    kept = [sample for sample in samples if sample.truth is not None or settings.no_call_policy == "any_no_call"]
    asker, comparator = Asker(engine, kept, settings), comparator_of(settings)
    traces = []
    for sample, answers, given in zip(kept, refine_traces(asker, len(kept), settings.refine_turns), asker.given, strict=True):
        ended = [each.finish_reason == "stop" for each in answered(given)]
        finished = tuple(ended + ended[-1:] * (len(answers) - len(ended)))  # later turns are copies
        traces.append(Trace(sample.id, tuple(answers), finished, score_trace(answers, sample, comparator, finished)))
    return traces


def summary(traces: Sequence[Trace]) -> dict[str, Any]:
    """Direct and adaptive accuracy with their 95 % intervals, and the mean number of refine turns."""
    scores = [trace.score for trace in traces]
    return {
        "samples": len(traces),
        "direct": _accuracy_json(accuracy([score.direct for score in scores])),
        "adaptive": _accuracy_json(accuracy([score.adaptive for score in scores])),
        "mean_turns": mean_turns(scores),
    }


def _accuracy_json(found: Accuracy) -> dict[str, Any]:
    low, high = found.interval()
    return {"right": found.right, "accuracy": found.value, "low": low, "high": high}
