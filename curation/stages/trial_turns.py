"""What a trial's model said, turn by turn, as it stands in the trial's row; and how that reads beside the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from curation.models import Trial
from curation.stages.copying import storable
from curation.stages.pool import comparator_of
from curation.stages.trial_questions import question_of, sample_of
from toolcalls.answers import Answer, Calls, ParseFailure
from toolcalls.differing import align, summary
from toolcalls.records import Generation, Judgement, Sample
from toolcalls.schema import check_calls
from toolcalls.selection import answer_of, judge
from toolcalls.wire import to_json

MOST_BREAKS = 12  # breaches of schemas that are listed of an answer


@dataclass(frozen=True, slots=True)
class Turn:
    """Aᵢ as it was generated. `seconds`: from the question to its end."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float

    @classmethod
    def of(cls, made: Generation, seconds: float) -> Turn:
        text, prompt, written = storable(made.text), made.prompt_tokens, made.completion_tokens
        return cls(text, made.finish_reason, prompt, written, round(seconds, 3))

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ReadTurn:
    """A turn as it is understood. `breaks`: what of its calls the tools' descriptions do not allow.

    judgement, differences: beside the truth, None where the question is no sample's. stops: the adaptive answer stands here.
    """

    number: int
    turn: Turn
    answer: Answer
    breaks: tuple[str, ...]
    judgement: Judgement | None
    differences: str | None
    stops: bool


def turns_of(trial: Trial) -> tuple[Turn, ...]:
    return tuple(Turn(**one) for one in trial.turns)


def standing(trial: Trial) -> int | None:
    """Which turn's answer stands: the last that there is room for; None as long as there is none."""
    turns = turns_of(trial)
    if trial.is_open or not turns:
        return None
    return len(turns) - 2 if len(turns) > 1 and turns[-1].finish_reason == "too_long" else len(turns) - 1


def read_turns(trial: Trial) -> Iterator[ReadTurn]:
    """Each turn, parsed and, where the question is a sample's, judged by the trial's settings. Its `version` must be loaded."""
    question = question_of(trial.question)
    sample = None if trial.version is None else sample_of(trial.version)
    comparator, stands = comparator_of(trial.choices), standing(trial)
    for number, turn in enumerate(turns_of(trial)):
        answer = answer_of(turn.text, comparator)
        calls = answer.calls if isinstance(answer, Calls) else ()
        breaks = tuple(check_calls(calls, question.tools)[:MOST_BREAKS])
        judgement = None if sample is None else judge(_generation(turn), sample, comparator, "any_no_call")
        differences = None if sample is None else _differences(sample, answer, trial)
        yield ReadTurn(number, turn, answer, breaks, judgement, differences, number == stands)


def turn_json(read: ReadTurn) -> dict[str, Any]:
    """For programs: `form`, `calls` and `unreadable` are null where it is not so; the last three where there is no truth."""
    answer, judged = read.answer, read.judgement
    parsed = answer if isinstance(answer, Calls) else None
    return {
        "number": read.number,
        **read.turn.plain(),
        "form": parsed.form if parsed else None,
        "tolerated": list(parsed.tolerated) if parsed else [],
        "calls": [to_json(call) for call in parsed.calls] if parsed else None,
        "unreadable": f"{answer.reason}, at character {answer.position + 1}" if isinstance(answer, ParseFailure) else None,
        "breaks": list(read.breaks),
        "stands": read.stops,
        "max_param_diff": None if judged is None else judged.max_param_diff,
        "reason": None if judged is None else judged.reason,
        "differences": read.differences,
    }


def _differences(sample: Sample, answer: Answer, trial: Trial) -> str:
    if sample.truth is None or not isinstance(answer, Calls):
        return ""
    return summary(align(sample.truth, answer.calls, sample.tools, comparator_of(trial.choices)))


def _generation(turn: Turn) -> Generation:
    values: Mapping[str, Any] = {"finish_reason": turn.finish_reason, "prompt_tokens": turn.prompt_tokens}
    return Generation(0, 0, turn.text, completion_tokens=turn.completion_tokens, prompt_hash="", **values)
