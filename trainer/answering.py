"""Answering for use: a direct answer, or adaptive self-refine (ToolACE-R §3.3, Alg. 1). Not in charge of any truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from toolcalls.adaptive import adaptive_answers
from toolcalls.answers import Calls, ParseFailure
from toolcalls.parsing import parse
from toolcalls.prompts import direct_messages
from toolcalls.records import Generation, Sample
from toolcalls.refinement import refine_messages, standing_text
from toolcalls.rendering import render
from toolcalls.settings import Settings
from trainer.asking import Question, ask
from trainer.engines.protocol import Engine
from trainer.sampling import greedy

Report = Callable[[int, int, int], None]
"""Called with a turn (0: the direct one), how many of its answers are there, and how many it asks for."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A₀ … Aᵢ as they were generated. `turns` is i, the refine turns; `text` is the answer that stands."""

    text: str
    generations: tuple[Generation, ...]

    @property
    def turns(self) -> int:
        return len(self.generations) - 1


class Asker:
    """Asks for the next turn of each sample, greedy, Fig. 5 as system text; `given` holds all generations by sample."""

    def __init__(self, engine: Engine, samples: Sequence[Sample], settings: Settings, report: Report | None = None) -> None:
        self.engine, self.samples, self.settings, self.report = engine, samples, settings, report
        self.given: list[list[Generation]] = [[] for _ in samples]

    def __call__(self, batch: Sequence[tuple[int, str | None]]) -> list[str]:
        questions = [self._question(item, previous) for item, previous in batch]
        answers = ask(self.engine, questions, greedy(self.settings), self._counter(batch))
        texts = []
        for (item, previous), (given,) in zip(batch, answers, strict=True):
            self.given[item].append(given)
            texts.append(standing_text(given, previous))
        return texts

    def _question(self, item: int, previous: str | None) -> Question:
        sample = self.samples[item]
        messages = direct_messages(sample, keep=self.settings.prompts == "keep")
        return Question(sample.id, messages if previous is None else refine_messages(messages, previous))

    def _counter(self, batch: Sequence[tuple[int, str | None]]) -> Callable[[int], None] | None:
        report, total = self.report, len(batch)
        if report is None:
            return None
        turn = len(self.given[batch[0][0]])
        return lambda done: report(turn, done, total)


def answer(
    engine: Engine, samples: Sequence[Sample], settings: Settings, *, adaptive: bool, report: Report | None = None
) -> list[Answered]:
    """Answer every sample; a turn is one batch of the engine. Adaptive: Algorithm 1, n = settings.refine_turns."""
    asker = Asker(engine, samples, settings, report)
    stopped = adaptive_answers(asker, len(samples), settings.refine_turns if adaptive else 0)
    return [Answered(each.answer, tuple(given)) for each, given in zip(stopped, asker.given, strict=True)]


def answer_json(identity: str | int, answered: Answered, form: str | None = None) -> dict[str, Any]:
    """An answer as a line: `calls` is null where nothing is called, `failure` there where calls cannot be read.

    `form` adds `calls_text`, the calls written in that form: null where there are none, or it cannot carry them.
    """
    read = parse(answered.text)
    calls = read.calls if isinstance(read, Calls) else None
    line: dict[str, Any] = {
        "id": identity,
        "output_text": answered.text,
        "calls": None if calls is None else [{"name": call.name, "arguments": call.arguments} for call in calls],
        "turns": answered.turns,
        "trace": [given.text for given in answered.generations],
        "finish_reason": answered.generations[-1].finish_reason,
        "prompt_tokens": sum(given.prompt_tokens for given in answered.generations),
        "completion_tokens": sum(given.completion_tokens for given in answered.generations),
    }
    if isinstance(read, ParseFailure):
        line["failure"] = {"reason": read.reason, "position": read.position}
    if form is not None:
        try:
            line["calls_text"] = None if calls is None else render(calls, form)
        except ValueError as error:
            line |= {"calls_text": None, "not_carried": str(error)}
    return line


def tokens(answers: Sequence[Answered]) -> dict[str, int]:
    """What all turns of all answers took."""
    given = [each for answered in answers for each in answered.generations]
    return {
        "asked": len(given),
        "prompt_tokens": sum(each.prompt_tokens for each in given),
        "completion_tokens": sum(each.completion_tokens for each in given),
    }
