"""The figures of an iteration's evaluations: how much of each of its data its model gets right, by every strategy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet

from curation.models import DatasetRevision, Evaluation, EvaluationItem, Iteration, Run
from curation.stages import artifacts
from curation.stages.pool import comparator_of
from toolcalls.benchmarks.items import HELDOUT
from toolcalls.report_json import report_json
from toolcalls.reports import Report, report
from toolcalls.strategies import Traced

OFFICIAL = "official"  # in the comparator's stead, where a benchmark's own scorer judges
READ = ("version__sample__key", "version__category", "trace", "right", "error_types", "prompt_tokens", "completion_tokens")


def summarise(run: Run, iteration: Iteration, outputs: dict[str, Any] | None = None) -> None:
    """Write the iteration's Evaluations from its items, one for each of what it was evaluated on that had any samples.

    `outputs`: of what was published, where that is what was scored. What is summed up already stays.
    """
    left = EvaluationItem.objects.filter(iteration=iteration).exclude(revision__in=iteration.evaluations.values("revision"))
    found = left.order_by("revision_id").values("revision_id")
    sums = found.annotate(
        total=Count("pk"),
        direct_right=Count("pk", filter=Q(direct_right=True)),
        adaptive_right=Count("pk", filter=Q(adaptive_right=True)),
        mean_turns=Avg("turns"),
    )
    revisions = DatasetRevision.objects.select_related("dataset").in_bulk([one["revision_id"] for one in sums])
    for one in sums:
        revision = revisions[one.pop("revision_id")]
        told = report_of(iteration, revision, outputs)
        values = {**one, "checkpoint": artifacts.evaluated_checkpoint(iteration), "outputs": outputs}
        if (turns := told.refinement.mean_turns) is not None:  # of what takes part in the averages
            values["mean_turns"] = turns
        values["comparator"] = OFFICIAL if revision.dataset.benchmark else comparator_of(run.choices).version
        values["figures"] = report_json(told)
        Evaluation.objects.get_or_create(iteration=iteration, revision=revision, defaults=values)


def report_of(iteration: Iteration, revision: DatasetRevision, outputs: dict[str, Any] | None = None) -> Report:
    """The figures of an iteration on one revision, from its items. Needs items that were judged answer by answer.

    `outputs` as the evaluation keeps them: items without an answer are told, also where they do not count.
    """
    items = EvaluationItem.objects.filter(iteration=iteration, revision=revision)
    benchmark, turns = revision.dataset.benchmark or HELDOUT, iteration.run.choices.refine_turns
    left_out = None if outputs is None or outputs["missing_wrong"] else outputs["missing"]
    return report(benchmark, traced(items), turns, left_out=left_out)


def traced(items: QuerySet[EvaluationItem]) -> Iterator[Traced]:
    """The items' traces, in the order of their versions."""
    for key, category, answers, right, errors, prompts, completions in items.order_by("version").values_list(*READ).iterator():
        none = (0,) * len(answers)
        tokens = tuple(prompts or none), tuple(completions or none)
        yield Traced(key, category, tuple(answers), tuple(right), tuple(errors), *tokens)
