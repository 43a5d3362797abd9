"""The form of an evaluation by itself: which model, on which benchmark or held-out split."""

from __future__ import annotations

from dataclasses import dataclass

from curation.models import DatasetRevision, Project
from curation.pages.new_run_page import LISTED, Option, benchmark_options
from curation.pages.project_tabs import ProjectTabs, project_tabs
from curation.pages.trial_form import Group, engine_options, model_groups


@dataclass(frozen=True, slots=True)
class TypedEvaluation:
    """What the form holds, as typed."""

    model: str = ""
    engine: str = ""
    revision: str = ""
    turns: str = ""
    max_new_tokens: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class NewEvaluationPage:
    project: Project
    tabs: ProjectTabs
    models: tuple[Group, ...]
    engines: tuple[Option, ...]
    data: tuple[Group, ...]
    typed: TypedEvaluation
    problem: str


def new_evaluation_page(project: Project, typed: TypedEvaluation, problem: str = "") -> NewEvaluationPage:
    return NewEvaluationPage(
        project=project,
        tabs=project_tabs(project, "benchmarks"),
        models=model_groups(project, typed.model),
        engines=engine_options(typed.engine),
        data=_data(project, typed.revision),
        typed=typed,
        problem=problem,
    )


def _data(project: Project, chosen: str) -> tuple[Group, ...]:
    """Revisions by their number: of benchmarks, and of what the project trains on where it holds samples out."""
    revisions = DatasetRevision.objects.filter(dataset__project=project, dataset__benchmark="", heldout__gt=0)
    splits = tuple(
        Option(str(one.pk), f"{one}, {one.heldout:,} held out", str(one.pk) == chosen)
        for one in revisions.select_related("dataset").order_by("-id")[:LISTED]
    )
    groups = {"Benchmarks": benchmark_options(project, (chosen,)), "Held-out splits": splits}
    return tuple(Group(label, options) for label, options in groups.items() if options)
