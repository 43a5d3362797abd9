"""Evaluations as pages find and list them: the newest first, named by their model and benchmark."""

from __future__ import annotations

from django.db.models import QuerySet

from curation.models import Evaluation, Iteration, Project


def evaluations_shown(project: Project, before: int | None = None, *, of: int | None = None) -> QuerySet[Evaluation]:
    """The newest first, with all that pages name them by: on the project's benchmarks, or on the data set `of`.

    `before`: older than that one.
    """
    found = Evaluation.objects.filter(iteration__run__project=project)
    found = found.exclude(revision__dataset__benchmark="") if of is None else found.filter(revision__dataset=of)
    return named_evaluations(found if before is None else found.filter(pk__lt=before)).order_by("-id")


def named_evaluations(found: QuerySet[Evaluation]) -> QuerySet[Evaluation]:
    """With the model and the benchmark of each."""
    model = ("iteration__run__base", "iteration__run__engine", "checkpoint__run", "checkpoint__iteration")
    return found.select_related("iteration__run__project__team", "revision__dataset", "revision__benchmark", *model)


def own_evaluation(iteration: Iteration) -> Evaluation | None:
    """On the run's own data, the held-out split of a loop's; None before all of it was answered."""
    return Evaluation.objects.own().filter(iteration=iteration).first()
