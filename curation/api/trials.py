"""Questions to models, to try them: asked, read, taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from django.http import HttpRequest

from curation.access import project_of, trial_of
from curation.api.paging import Page, Slice, newest_first
from curation.api.reading import Given
from curation.api.signing import me
from curation.models import Project, SampleVersion, Trial
from curation.models.trials import TrialState
from curation.stages import trying
from curation.stages.errors import InputError
from curation.stages.trial_models import named
from curation.stages.trial_questions import MOST_MESSAGES, MOST_TOOLS, asked_by, newest_version, question
from curation.stages.trial_turns import read_turns, turn_json
from toolcalls.records import Message, Sample

router = Router()
LARGEST = 2**63 - 1

State = Literal["waiting", "answering", "done", "failed", "cancelled"]
assert set(State.__args__) == set(TrialState.values)  # type: ignore[attr-defined]


class MessageIn(Given):
    role: Literal["user", "assistant", "tool"]
    content: str


class NewTrial(Given):
    """The model: `run`, with `iteration` or by its last model; or `base`; or `engine` alone, for a server with a model of its
    own. The question: `messages`, or a `sample` of the project, with whose truth the answers are then compared."""

    run: int | None = Field(None, ge=1, le=LARGEST)
    iteration: int | None = Field(None, ge=0, le=2**31 - 1)
    base: str = Field("", max_length=80)
    engine: str = Field("", max_length=80, description="the run's, where not given")
    messages: list[MessageIn] = Field(default_factory=list, max_length=MOST_MESSAGES)
    tools: list[dict[str, Any]] = Field(default_factory=list, max_length=MOST_TOOLS)
    system: str = Field("", description="stands in the paper's system prompt as other information")
    sample: int | None = Field(None, ge=1, le=LARGEST, description="instead of messages, tools and system")
    turns: int | None = Field(None, ge=0, le=trying.MOST_TURNS, description="refine turns at most; as the run's, where not given")
    max_new_tokens: int | None = Field(None, ge=1, le=trying.MOST_NEW_TOKENS, description="as the run's, where not given")


class TrialTurnOut(Schema):
    """An answer of the trace, as it was written and as it is read. Beside a truth: how many parameters it is off, and where."""

    number: int = Field(description="0: the direct answer")
    text: str
    finish_reason: Literal["stop", "length", "too_long"]
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    form: str | None = Field(description="in which its calls are written")
    tolerated: list[str] = Field(description="what was looked past to read them")
    calls: list[dict[str, Any]] | None
    unreadable: str | None = Field(description="why what looks like calls cannot be read")
    breaks: list[str] = Field(description="what of the calls the tools' descriptions do not allow")
    stands: bool = Field(description="whether this is the answer, once the trial is over")
    max_param_diff: int | None = Field(description="0 exact, 1 approximate; null where the tools differ, or there is no truth")
    reason: str | None = Field(description="why it is no hit, empty where it may be one; null where there is no truth")
    differences: str | None


class TrialBrief(Schema):
    id: int
    title: str = Field(description="the message in short")
    state: State
    base: str | None
    run: int | None
    iteration: int | None
    engine: str
    by: str | None
    asked_at: datetime
    closed_at: datetime | None

    @staticmethod
    def resolve_base(trial: Trial) -> str | None:
        return None if trial.base is None else str(trial.base.name)

    @staticmethod
    def resolve_run(trial: Trial) -> int | None:
        return None if trial.checkpoint is None else int(trial.checkpoint.run_id)

    @staticmethod
    def resolve_iteration(trial: Trial) -> int | None:
        return None if trial.checkpoint is None else int(trial.checkpoint.iteration.number)

    @staticmethod
    def resolve_engine(trial: Trial) -> str:
        return str(trial.engine.name)

    @staticmethod
    def resolve_by(trial: Trial) -> str | None:
        return None if trial.by is None else str(trial.by)


class TrialOut(TrialBrief):
    sample: int | None = Field(description="whose question it is, word for word")
    question: dict[str, Any] = Field(description="messages, tools, other: the system text")
    refine_turns: int
    max_new_tokens: int
    loaded_at: datetime | None = Field(description="when the model was ready")
    turns: list[TrialTurnOut] = Field(description="so far")
    agreed: bool | None = Field(description="whether it ended because two answers agree; null while it has not")
    error: str

    @staticmethod
    def resolve_sample(trial: Trial) -> int | None:
        return None if trial.version is None else int(trial.version.sample_id)

    @staticmethod
    def resolve_refine_turns(trial: Trial) -> int:
        return trial.choices.refine_turns

    @staticmethod
    def resolve_max_new_tokens(trial: Trial) -> int:
        return trial.choices.max_new_tokens

    @staticmethod
    def resolve_turns(trial: Trial) -> list[dict[str, Any]]:
        return [turn_json(read) for read in read_turns(trial)]


class TrialSlice(Slice):
    mine: bool = Field(False, description="one's own only")


@router.get("/projects/{slug:team}/{slug:project}/trials", response=Page[TrialBrief])
def list_trials(request: HttpRequest, team: str, project: str, by: Query[TrialSlice]) -> Any:
    """Questions that members put to models, the newest first."""
    rows = Trial.objects.filter(project=project_of(me(request), team, project)).defer("question", "settings", "turns")
    rows = rows.filter(by=me(request)) if by.mine else rows
    return newest_first(rows.select_related("base", "engine", "checkpoint__iteration", "by"), by)


@router.post("/projects/{slug:team}/{slug:project}/trials", response={202: TrialOut})
def ask_model(request: HttpRequest, team: str, project: str, given: NewTrial) -> Any:
    """Put a question to a model; engineers ask. A worker answers with adaptive self-refine."""
    owned = project_of(me(request), team, project)
    asked, version = _question(owned, given)
    model = named(owned, run=given.run, iteration=given.iteration, base=given.base, engine=given.engine)
    limits = {"turns": given.turns, "max_new_tokens": given.max_new_tokens}
    made = trying.ask(owned, model, asked, me(request), version=version, **limits)
    return Status(202, trial_of(me(request), team, project, made.pk))


@router.get("/projects/{slug:team}/{slug:project}/trials/{int:trial}", response=TrialOut)
def read_trial(request: HttpRequest, team: str, project: str, trial: int) -> Any:
    """How far it is, and its turns so far."""
    return trial_of(me(request), team, project, trial)


@router.post("/projects/{slug:team}/{slug:project}/trials/{int:trial}/cancel", response=TrialOut)
def cancel_trial(request: HttpRequest, team: str, project: str, trial: int) -> Any:
    """Engineers take a question back that no worker has begun."""
    trying.cancel(trial_of(me(request), team, project, trial), me(request))
    return trial_of(me(request), team, project, trial)


def _question(project: Project, given: NewTrial) -> tuple[Sample, SampleVersion | None]:
    if given.sample is None:
        said = [Message(message.role, message.content) for message in given.messages]
        return question(said, given.tools, given.system), None
    if given.messages or given.tools or given.system:
        raise InputError("give a sample, or messages with tools and system; not both")
    version = newest_version(project, given.sample)
    return asked_by(version), version
