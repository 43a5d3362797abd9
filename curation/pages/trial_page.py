"""A trial: how far it is, and each turn as the model wrote it, as it is read, and beside the truth where there is one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.urls import reverse

from curation.access import may
from curation.models import Project, Role, Trial, User
from curation.models.trials import TrialState
from curation.pages.answers import LONGEST, CallView, between
from curation.pages.project_tabs import ProjectTabs, project_tabs
from curation.pages.sample_card import CallLine, SampleCard, call_line, sample_card
from curation.stages.facets import label_of
from curation.stages.trial_models import name_of
from curation.stages.trial_questions import question_of, sample_of
from curation.stages.trial_turns import ReadTurn, read_turns
from curation.stages.trying import claimable, trainings
from curation.stages.workforce import devices_owned
from toolcalls.answers import Answer, Calls, ParseFailure
from toolcalls.comparing import comparator_of

NOBODY = (
    "No worker is running, so nobody answers. It is taken as soon as one is there: manage.py supervise starts one. After a day "
    "without any it fails."
)


@dataclass(frozen=True, slots=True)
class TurnView:
    """`calls`: beside the truth; `lines`: where there is none. `tone` and `label` say how it compares, empty without a truth."""

    number: int
    text: str
    finish: str
    form: str
    tolerated: tuple[str, ...]
    unreadable: str
    calls: tuple[CallView, ...]
    lines: tuple[CallLine, ...]
    breaks: tuple[str, ...]
    tone: str
    label: str
    stops: bool
    prompt_tokens: int
    completion_tokens: int
    seconds: float

    @property
    def same(self) -> bool:
        return bool(self.calls) and all(call.kind == "same" for call in self.calls)


@dataclass(frozen=True, slots=True)
class TrialPage:
    project: Project
    tabs: ProjectTabs
    trial: Trial
    model: str
    card: SampleCard  # the question, and the truth where there is one
    truth: bool
    progress: str
    nobody: str  # that no worker is there, and what to do
    steps: tuple[TurnView, ...]
    ended: str  # why there are no more turns
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    may_cancel: bool
    again: str  # the form with this question, for who may ask

    @property
    def mark(self) -> str:
        """Other where the page is, so that what a person has unfolded on it stays as long as nothing is new."""
        shown = (self.trial.state, self.trial.attempt, len(self.steps), self.progress, self.nobody)
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:12]


def trial_page(trial: Trial, user: User) -> TrialPage:
    project = trial.project
    engineer = may(user, project.team_id, Role.ENGINEER)
    steps = tuple(_step(one, trial) for one in read_turns(trial))
    waits, workers = trial.state == TrialState.WAITING, len(devices_owned())
    form = reverse("trials", args=[project.team.slug, project.slug])
    asked = question_of(trial.question) if trial.version is None else sample_of(trial.version)
    return TrialPage(
        project=project,
        tabs=project_tabs(project, "trials"),
        trial=trial,
        model=name_of(trial.base, trial.checkpoint, trial.engine),
        card=sample_card(asked),
        truth=trial.version is not None,
        progress=_waits(trial, workers) if waits else _progress(trial, len(steps)),
        nobody=NOBODY if waits and not workers else "",
        steps=steps,
        ended=_ended(trial, steps),
        prompt_tokens=sum(step.prompt_tokens for step in steps),
        completion_tokens=sum(step.completion_tokens for step in steps),
        seconds=sum(step.seconds for step in steps),
        may_cancel=engineer and trial.state == TrialState.WAITING,
        again=f"{form}?again={trial.pk}" if engineer else "",
    )


def _progress(trial: Trial, turns: int) -> str:
    if trial.state != TrialState.ANSWERING:
        return ""
    if trial.loaded_at is None:
        return "Loading the model."
    return f"The model refines its answer: turn {turns}." if turns else "The model answers."


def _waits(trial: Trial, workers: int) -> str:
    """What it waits for, as far as that is known."""
    ahead = claimable().filter(pk__lt=trial.pk).count()
    queued = f"Queued behind {ahead} other trial{'' if ahead == 1 else 's'}" if ahead else "Queued"
    if not workers:
        return f"{queued}."
    if trainings() >= workers:
        return f"{queued}: every worker trains a model, and a training is not interrupted. It may take long."
    return f"{queued}: a worker takes it after the shard that it is at."


def _step(read: ReadTurn, trial: Trial) -> TurnView:
    turn, answer = read.turn, read.answer
    parsed = answer if isinstance(answer, Calls) else Calls((), "")
    beside = _beside(answer, trial) if turn.finish_reason == "stop" else ()
    label, tone = _judged(read, trial)
    return TurnView(
        number=read.number,
        text=turn.text[:LONGEST],
        finish="" if turn.finish_reason == "stop" else label_of("outcome", _reason(turn.finish_reason)),
        form=parsed.form,
        tolerated=parsed.tolerated,
        unreadable=f"{answer.reason}, at character {answer.position + 1}" if isinstance(answer, ParseFailure) else "",
        calls=beside,
        lines=() if beside else tuple(map(call_line, parsed.calls)),
        breaks=read.breaks,
        tone=tone,
        label=label,
        stops=read.stops,
        prompt_tokens=turn.prompt_tokens,
        completion_tokens=turn.completion_tokens,
        seconds=turn.seconds,
    )


def _reason(finish: str) -> str:
    return "too_long" if finish == "too_long" else "truncated"


def _beside(answer: Answer, trial: Trial) -> tuple[CallView, ...]:
    truth = None if trial.version is None else sample_of(trial.version)
    if truth is None or truth.truth is None or not isinstance(answer, Calls):
        return ()
    return between(truth.truth, answer.calls, truth, comparator_of(trial.choices))


def _judged(read: ReadTurn, trial: Trial) -> tuple[str, str]:
    """Label and tone beside the truth."""
    if read.judgement is None:
        return "", ""
    difference = read.judgement.max_param_diff
    if difference == 0:
        return "equals the truth" if trial.version and trial.version.calls else "calls nothing, as the truth", "good"
    if difference is None:
        return label_of("outcome", read.judgement.reason), "miss"
    near = difference <= trial.choices.tolerance
    return f"{'near: ' if near else ''}{difference} parameter{'' if difference == 1 else 's'} off", "near" if near else "miss"


def _ended(trial: Trial, steps: tuple[TurnView, ...]) -> str:
    if trial.state != TrialState.DONE or not steps:
        return ""
    last = steps[-1]
    if trial.agreed:
        return f"A{last.number} agrees with A{last.number - 1}: adaptive self-refine stops there."
    if trial.turns[-1]["finish_reason"] == "too_long":
        if not last.number:
            return "The question does not fit into what the model can take."
        return f"The refine prompt of turn {last.number} does not fit any more: A{last.number - 1} stands."
    if not last.number:
        return "Answered directly: no refine turn was asked for."
    return f"All {last.number} refine turn{'' if last.number == 1 else 's'} were used, and no two answers in a row agree."
