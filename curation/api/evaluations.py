"""Benchmarks of a project, and what models score on them: reports, items, two evaluations item by item."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from django.http import HttpRequest, HttpResponse

from curation.access import evaluation_of, project_of, run_of
from curation.api.paging import Page, Slice, newest_first, page_by
from curation.api.reading import Given
from curation.api.runs import RunOut
from curation.api.signing import me
from curation.models import Benchmark, Evaluation, EvaluationItem
from curation.pages.evaluation_names import model_name
from curation.stages import datasets, evaluating, evaluation_files, running, trial_models
from curation.stages.errors import InputError
from curation.stages.evaluated import named_evaluations
from curation.stages.evaluation_items import items_by
from curation.stages.evaluations_compared import contrast_of, note_of, outcomes, pair_of, refine_turns
from toolcalls.contrasts import contrast_json
from toolcalls.strategies import Strategy

router = Router()
CSV = {
    "responses": {
        200: {
            "description": "JSON, or with format=csv a table.",
            "content": {"application/json": {"schema": {"type": "object"}}, "text/csv": {"schema": {"type": "string"}}},
        }
    }
}
Score = Literal["right", "wrong"]


class BenchmarkOut(Schema):
    """A revision of a benchmark's data set."""

    id: int = Field(description="of the revision")
    dataset: int
    slug: str
    name: str
    benchmark: str = Field(description="which one it is: bfcl, acebench, …")
    revision: int = Field(description="its number")
    items: int
    digest: str = Field(description="sha256 over names and hashes of the files that it was read from")
    changed: bool = Field(description="whether one of these is not the known file")
    files: list[dict[str, Any]]
    prompts: Literal["paper", "own"]
    created_at: datetime

    @staticmethod
    def resolve_id(found: Benchmark) -> int:
        return int(found.pk)

    @staticmethod
    def resolve_dataset(found: Benchmark) -> int:
        return int(found.revision.dataset_id)

    @staticmethod
    def resolve_slug(found: Benchmark) -> str:
        return str(found.revision.dataset.slug)

    @staticmethod
    def resolve_name(found: Benchmark) -> str:
        return str(found.revision.dataset.name)

    @staticmethod
    def resolve_benchmark(found: Benchmark) -> str:
        return str(found.revision.dataset.benchmark)

    @staticmethod
    def resolve_revision(found: Benchmark) -> int:
        return int(found.revision.number)

    @staticmethod
    def resolve_items(found: Benchmark) -> int:
        return int(found.revision.heldout)

    @staticmethod
    def resolve_created_at(found: Benchmark) -> datetime:
        at: datetime = found.revision.created_at
        return at


class EvaluationOut(Schema):
    """What a model scores on one revision. Counts are of items; `mean_turns` is where adaptive self-refine stops."""

    id: int
    run: int
    iteration: int
    model: str
    dataset: int
    slug: str
    benchmark: str = Field(description="empty for the held-out split of other data")
    revision: int
    total: int
    direct_right: int
    adaptive_right: int
    mean_turns: float
    outputs: dict[str, Any] | None = Field(description="of what was published, where that was scored")
    created_at: datetime

    @staticmethod
    def resolve_run(found: Evaluation) -> int:
        return int(found.iteration.run_id)

    @staticmethod
    def resolve_iteration(found: Evaluation) -> int:
        return int(found.iteration.number)

    @staticmethod
    def resolve_model(found: Evaluation) -> str:
        return model_name(found)

    @staticmethod
    def resolve_dataset(found: Evaluation) -> int:
        return int(found.revision.dataset_id)

    @staticmethod
    def resolve_slug(found: Evaluation) -> str:
        return str(found.revision.dataset.slug)

    @staticmethod
    def resolve_benchmark(found: Evaluation) -> str:
        return str(found.revision.dataset.benchmark)

    @staticmethod
    def resolve_revision(found: Evaluation) -> int:
        return int(found.revision.number)


class EvaluationDetail(EvaluationOut):
    report: dict[str, Any] | None = Field(alias="figures", description="null for one made before there were reports")


class ScoredItemOut(Schema):
    """One item: its trace A₀ … Aₙ as written, what it scores by turn, and the turn of the strategy that was asked for."""

    id: int
    sample: int
    key: str
    category: str
    stands: int | None
    right: bool | None
    error_type: str | None
    trace: list[str]
    right_by_turn: list[bool] | None
    error_types: list[str | None] | None
    prompt_tokens: list[int] | None
    completion_tokens: list[int] | None


class NewEvaluation(Given):
    """The model is what an iteration of a run has trained (its last one's where no number is given), a base, or by its engine
    alone a server."""

    benchmark: str = Field("", description="the slug of one of the project's benchmarks")
    dataset: str = Field("", description="instead of a benchmark: the slug of a data set, whose held-out split it is then")
    revision: int | None = Field(None, ge=1, le=2**31 - 1, description="the newest, where not given")
    run: int | None = Field(None, ge=1, le=2**63 - 1)
    iteration: int | None = Field(None, ge=0, le=2**31 - 1)
    base: str = ""
    engine: str = Field("", description="of the model's run, where not given")
    n: int | None = Field(None, ge=0, le=100, description="most refine turns; 5 by the paper")
    name: str = Field("", max_length=120)
    settings: dict[str, Any] = Field(default_factory=dict, description="that are not to be the model's own")


class EvaluationSlice(Slice):
    run: int | None = Field(None, ge=1, le=2**63 - 1)
    benchmark: str = Field("", max_length=50, description="the slug of a data set")


class Format(Schema):
    format: Literal["json", "csv"] = "json"


class ItemsQuery(Slice):
    strategy: Strategy = "direct"
    score: Score | None = None
    category: str = Field("", max_length=40)
    error_type: str = Field("", max_length=100)


class CompareQuery(Format):
    strategy: Strategy = "adaptive"


@router.get("/projects/{slug:team}/{slug:project}/benchmarks", response=Page[BenchmarkOut])
def list_benchmarks(request: HttpRequest, team: str, project: str, by: Query[Slice]) -> Any:
    """The revisions of a project's benchmarks, the newest first."""
    shown = project_of(me(request), team, project)
    return newest_first(Benchmark.objects.filter(revision__dataset__project=shown).select_related("revision__dataset"), by)


@router.get("/projects/{slug:team}/{slug:project}/evaluations", response=Page[EvaluationOut])
def list_evaluations(request: HttpRequest, team: str, project: str, by: Query[EvaluationSlice]) -> Any:
    """What models scored, the newest first: of all runs, or of one, on all data or on one benchmark."""
    of_project = Evaluation.objects.filter(iteration__run__project=project_of(me(request), team, project))
    rows = named_evaluations(of_project).defer("figures")
    rows = rows.filter(iteration__run=by.run) if by.run is not None else rows
    rows = rows.filter(revision__dataset__slug=by.benchmark) if by.benchmark else rows
    return newest_first(rows, by)


@router.post("/projects/{slug:team}/{slug:project}/evaluations", response={201: RunOut})
def begin_evaluation(request: HttpRequest, team: str, project: str, given: NewEvaluation) -> Any:
    """Engineers have a model evaluated on a benchmark or a held-out split: a run of its own, which has begun."""
    owned = project_of(me(request), team, project)
    if bool(given.benchmark) == bool(given.dataset):
        raise InputError("name what to evaluate on: a benchmark, or a dataset with held-out samples")
    name = given.benchmark or given.dataset
    revision = datasets.named(owned, name, given.revision, benchmark=bool(given.benchmark))
    model = trial_models.named(owned, run=given.run, iteration=given.iteration, base=given.base, engine=given.engine)
    settings = given.settings if given.n is None else {**given.settings, "refine_turns": given.n}
    made = evaluating.create_evaluation(owned, revision, model, settings, name=given.name, by=me(request))
    running.start_run(made, me(request))
    return Status(201, run_of(me(request), made.pk))


@router.get("/evaluations/{int:evaluation}", response=EvaluationDetail, openapi_extra=CSV)
def read_evaluation(request: HttpRequest, evaluation: int, by: Query[Format]) -> Any:
    """The report: by category, average, strategy and number of turns."""
    found = evaluation_of(me(request), evaluation)
    return found if by.format == "json" else _table(evaluation_files.report_table(found))


@router.get("/evaluations/{int:evaluation}/items", response=Page[ScoredItemOut])
def list_evaluated_items(request: HttpRequest, evaluation: int, by: Query[ItemsQuery]) -> Any:
    """The items, right and wrong by a strategy, of a category or with an error."""
    found = evaluation_of(me(request), evaluation)
    wanted = items_by(found, by.strategy, score=by.score or "", category=by.category, error=by.error_type)
    return page_by(wanted, "version_id", by.after, by.limit, _item)


@router.get("/evaluations/{int:evaluation}/compared-with/{int:other}", response=dict[str, Any], openapi_extra=CSV)
def compare_evaluations(request: HttpRequest, evaluation: int, other: int, by: Query[CompareQuery]) -> Any:
    """The other less this one, item by item, and whether the difference is one; `note` where their n is not the same."""
    first, second = (evaluation_of(me(request), number) for number in (evaluation, other))
    pair = pair_of(first, second, by.strategy)
    if by.format == "csv":
        return _table(evaluation_files.pairs_table(pair))
    apart = [each._asdict() for each in outcomes(pair) if each.first is not each.second]
    turns = {"first_n": refine_turns(first), "second_n": refine_turns(second), "note": note_of(pair)}
    told = {"first": first.pk, "second": second.pk, "strategy": by.strategy, **turns}
    return {**told, **contrast_json(contrast_of(pair)), "differing": apart}


def _item(row: EvaluationItem) -> dict[str, Any]:
    version = row.version
    return {
        "id": row.pk,
        "sample": version.sample_id,
        "key": version.sample.key,
        "category": version.category,
        "stands": row.stands,
        "right": row.stands_right,
        "error_type": row.error,
        "trace": row.trace,
        "right_by_turn": row.right,
        "error_types": row.error_types,
        "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens,
    }


def _table(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers={"Cache-Control": "no-store"})
