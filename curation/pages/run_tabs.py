"""The tabs that every page of a run shows: Overview · Iteration n · Pool · Refine pairs · Exports · Events."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from curation.models import Iteration, Run
from curation.pages.project_tabs import ProjectTabs, project_tabs

NAMES = ("overview", "iteration", "pool", "pairs", "exports", "events")


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class RunTabs:
    """What templates/curation/runs/_tabs.html and _where.html take as `tabs`."""

    project: ProjectTabs
    run: str
    run_href: str
    tabs: tuple[Tab, ...]


def run_tabs(run: Run, current: str, iteration: Iteration | None = None) -> RunTabs:
    """The tabs of a run with the one of `current`, one of NAMES, marked.

    Give the `iteration` that the page is about: then this costs no query. Without one, the run's latest is asked for (one
    query) and the tabs of an iteration lead there; a run that has none yet shows none of them. The run's project and team must
    be loaded. A page has, outside its main block:
    {% block where %}{% include "curation/runs/_where.html" with tabs=page.tabs %}{% endblock %}
    {% block tabs %}{% include "curation/runs/_tabs.html" with tabs=page.tabs %}{% endblock %}
    """
    if current not in NAMES:
        raise ValueError(f"a run has no tab {current!r}; there are: {', '.join(NAMES)}")
    number = _latest(run) if iteration is None else iteration.number
    found: list[tuple[str, str, str, tuple[int, ...]]] = [("overview", "Overview", "run", (run.pk,))]
    if number is not None:
        found += [
            ("iteration", f"Iteration {number}", "iteration", (run.pk, number)),
            ("pool", "Pool", "pool", (run.pk, number)),
            ("pairs", "Refine pairs", "pairs", (run.pk, number)),
        ]
    found += [("exports", "Exports", "run_exports", (run.pk,)), ("events", "Events", "run_events", (run.pk,))]
    tabs = tuple(Tab(label, reverse(route, args=args), name == current) for name, label, route, args in found)
    return RunTabs(project_tabs(run.project), run.name, reverse("run", args=[run.pk]), tabs)


def _latest(run: Run) -> int | None:
    return Iteration.objects.filter(run=run).order_by("-number").values_list("number", flat=True).first()
