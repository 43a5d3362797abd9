"""The exports of a run: what of each iteration can be had, in which forms, and what was had so far."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from django.conf import settings

from curation.models import Checkpoint, Export, Iteration, Run, TrainingSet
from curation.models.exports import ExportKind
from curation.pages.export_examples import EXAMPLES, Example
from curation.pages.run_tabs import RunTabs, run_tabs
from curation.stages.errors import InputError
from curation.stages.export_blocks import TURNS
from curation.stages.exporting import FORMATS
from curation.stages.filtering import VerdictFilter, count_of, filter_from, filter_query
from curation.stages.verdict_filter import one

LIMIT = 30  # past exports on a page
LABELS = {ExportKind.TRAINING_SET: "Training set", ExportKind.POOL: "Pool", ExportKind.PAIRS: "Refine pairs"}
ADDRESS = {ExportKind.TRAINING_SET: "training-set", ExportKind.POOL: "pool", ExportKind.PAIRS: "pairs"}  # of the REST API


@dataclass(frozen=True, slots=True)
class Offer:
    """Something of an iteration that can be downloaded."""

    kind: str
    label: str
    formats: tuple[str, ...]
    filters: tuple[tuple[str, str], ...]  # hidden fields of its form
    described: str  # the filter in words, as its address has it
    rows: int | None
    curl: str


@dataclass(frozen=True, slots=True)
class IterationOffers:
    iteration: Iteration
    frozen: TrainingSet | None
    offers: tuple[Offer, ...]
    has_model: bool


@dataclass(frozen=True, slots=True)
class PastExport:
    export: Export
    label: str
    filters: str
    manifest: str


@dataclass(frozen=True, slots=True)
class ExportsPage:
    run: Run
    tabs: RunTabs
    iterations: tuple[IterationOffers, ...]
    filtered: Offer | None  # what a page of the pool or of the pairs asked to export
    filtered_iteration: int | None
    examples: tuple[Example, ...]
    past: tuple[PastExport, ...]
    older: int | None


def filter_of(kind: str, params: Mapping[str, Sequence[str]]) -> VerdictFilter | None:
    """None for what is exported whole. Raises InputError for a filter of it, and for one that is not known."""
    if kind in TURNS:
        return filter_from(params, TURNS[kind])
    if params:
        raise InputError("a training set is exported whole: leave the filter out")
    return None


def exports_page(run: Run, params: Mapping[str, Sequence[str]], *, before: int | None = None) -> ExportsPage:
    """`params` may name an iteration and a kind with a filter: that is then offered first."""
    found = Iteration.objects.filter(run=run, number__gt=0).select_related("training_set").order_by("-number")
    iterations = list(found)
    filtered, number = _filtered(run, iterations, params)
    exports = Export.objects.filter(iteration__run=run).select_related("iteration", "by").order_by("-id")
    past = list((exports.filter(pk__lt=before) if before is not None else exports)[: LIMIT + 1])
    trained = set(Checkpoint.objects.filter(run=run).values_list("iteration_id", flat=True))
    return ExportsPage(
        run=run,
        tabs=run_tabs(run, "exports"),
        iterations=tuple(_of_iteration(run, iteration, iteration.pk in trained) for iteration in iterations),
        filtered=filtered,
        filtered_iteration=number,
        examples=EXAMPLES,
        past=tuple(map(_past, past[:LIMIT])),
        older=past[LIMIT - 1].pk if len(past) > LIMIT else None,
    )


def _of_iteration(run: Run, iteration: Iteration, has_model: bool) -> IterationOffers:
    frozen = getattr(iteration, "training_set", None)
    offers = [] if frozen is None else [_offer(run, iteration, ExportKind.TRAINING_SET, rows=frozen.direct + frozen.refine)]
    offers += [_offer(run, iteration, ExportKind.POOL, rows=iteration.pool), _offer(run, iteration, ExportKind.PAIRS)]
    return IterationOffers(iteration, frozen, tuple(offers), has_model)


def _offer(run: Run, iteration: Iteration, kind: str, f: VerdictFilter | None = None, rows: int | None = None) -> Offer:
    query = "" if f is None else filter_query(f)
    address = f"{settings.SITE_URL}/api/v1/runs/{run.pk}/iterations/{iteration.number}/export/{ADDRESS[kind]}"
    curl = f'curl -OJ -H "Authorization: Bearer $WHETSTONE_TOKEN" "{address}{"?" if query else ""}{query}"'
    fields = () if f is None else tuple(parse_qsl(query, keep_blank_values=True))
    return Offer(kind, LABELS[kind], tuple(FORMATS[kind]), fields, query, rows, curl)


def _filtered(run: Run, iterations: Sequence[Iteration], params: Mapping[str, Sequence[str]]) -> tuple[Offer | None, int | None]:
    """What the address asks for: ?iteration=2&kind=pool and a filter. Raises InputError for what cannot be."""
    asked = {name: values for name, values in params.items() if name not in ("iteration", "kind", "before")}
    kind, number = one(params, "kind"), one(params, "iteration")
    if not kind and not number and not asked:
        return None, None
    if kind not in TURNS:
        raise InputError(f"kind {kind[:40]!r}: a filter is for one of {', '.join(TURNS)}")
    iteration = next((each for each in iterations if str(each.number) == number), None)
    if iteration is None:
        raise InputError(f"run {run.pk} has no iteration {number[:20]!r} to export from")
    f = filter_from(asked, TURNS[kind])
    return _offer(run, iteration, kind, f, count_of(iteration, f)), iteration.number


def _past(export: Export) -> PastExport:
    filters = urlencode(sorted(export.filters.items()), doseq=True)
    return PastExport(export, LABELS[export.kind], filters, json.dumps(export.manifest, indent=2, ensure_ascii=False))
