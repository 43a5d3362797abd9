"""The evaluation stage: greedy traces on held-out samples, and adaptive self-refine for use (ToolACE-R §3.3, Alg. 1; §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolcalls.adaptive import Stopped, adaptive_answers, refine_traces
from toolcalls.comparing import comparator_of
from toolcalls.evaluation import Accuracy, TraceScore, accuracy, mean_turns, score_trace
from toolcalls.prompts import direct_messages
from toolcalls.records import Sample
from toolcalls.refinement import refine_messages
from toolcalls.settings import Settings
from trainer.asking import Question, ask
from trainer.engines.protocol import Engine
from trainer.sampling import greedy


@dataclass(frozen=True, slots=True)
class Trace:
    """Answers A₀ … Aₙ to one sample, whether an end token ended each, and what they score."""

    sample_id: str
    answers: tuple[str, ...]
    finished: tuple[bool, ...]
    score: TraceScore


class _Asker:
    """Asks the engine for the next turn of each sample, Fig. 5 as system text, and remembers which answers were ended."""

    def __init__(self, engine: Engine, samples: Sequence[Sample], settings: Settings) -> None:
        self.engine, self.samples, self.settings = engine, samples, settings
        self.finished: list[list[bool]] = [[] for _ in samples]

    def __call__(self, batch: Sequence[tuple[int, str | None]]) -> list[str]:
        answers = ask(self.engine, [self._question(item, previous) for item, previous in batch], greedy(self.settings))
        for (item, _), given in zip(batch, answers, strict=True):
            self.finished[item].append(given[0].finish_reason == "stop")
        return [given[0].text for given in answers]

    def _question(self, item: int, previous: str | None) -> Question:
        sample = self.samples[item]
        messages = direct_messages(sample, keep=self.settings.prompts == "keep")
        return Question(sample.id, messages if previous is None else refine_messages(messages, previous))


def evaluate(engine: Engine, samples: Sequence[Sample], settings: Settings) -> list[Trace]:
    """Trace and score every sample; those whose truth calls nothing are left out unless no_call_policy is any_no_call."""
    kept = [sample for sample in samples if sample.truth is not None or settings.no_call_policy == "any_no_call"]
    asker, comparator = _Asker(engine, kept, settings), comparator_of(settings)
    traces = []
    for sample, answers, ended in zip(kept, refine_traces(asker, len(kept), settings.refine_turns), asker.finished, strict=True):
        finished = tuple(ended + ended[-1:] * (len(answers) - len(ended)))  # later turns are copies
        traces.append(Trace(sample.id, tuple(answers), finished, score_trace(answers, sample, comparator, finished)))
    return traces


def answer(engine: Engine, samples: Sequence[Sample], settings: Settings) -> list[Stopped]:
    """Algorithm 1 on every sample, n = settings.refine_turns, asking no more turns than it needs."""
    return adaptive_answers(_Asker(engine, samples, settings), len(samples), settings.refine_turns)


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
