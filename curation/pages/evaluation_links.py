"""A run's evaluations by iteration, each with its overall figure: links for the iteration's page, lines for the run's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse

from curation.models import Evaluation, Iteration, Run
from curation.pages.evaluation_names import NAMES
from curation.pages.line_chart import LineChart, Series, Value, line_chart

STYLES = 6  # colours of lines


@dataclass(frozen=True, slots=True)
class EvaluationLink:
    """Overall accuracies, fractions 0–1: the paper's average of a benchmark; the share of right answers of a part of one, and of
    other data.
    """

    iteration: int
    name: str
    href: str
    total: int
    own: bool  # of the run's held-out split
    direct: float
    adaptive: float


@dataclass(frozen=True, slots=True)
class BenchmarkCurves:
    """A chart with a line for each benchmark, and the same as a table: by iteration a cell for each."""

    chart: LineChart
    names: tuple[str, ...]
    rows: tuple[tuple[int, tuple[EvaluationLink | None, ...]], ...]


def evaluation_links(iteration: Iteration) -> tuple[EvaluationLink, ...]:
    """The held-out split first. One query."""
    found = _links(Evaluation.objects.filter(iteration=iteration), iteration.run)
    return tuple(sorted(found, key=lambda link: (not link.own, link.name)))


def benchmark_curves(run: Run) -> BenchmarkCurves | None:
    """None where the run was evaluated on no benchmark. One query."""
    found = _links(Evaluation.objects.filter(iteration__run=run).exclude(revision__dataset__benchmark=""), run)
    names = sorted({link.name for link in found})
    chart = line_chart("Benchmarks", [_series(found, name, place) for place, name in enumerate(names)], unit=" %")
    if chart is None:
        return None
    cells = {(link.iteration, link.name): link for link in found}
    numbers = sorted({link.iteration for link in found})
    return BenchmarkCurves(chart, tuple(names), tuple((n, tuple(cells.get((n, name)) for name in names)) for n in numbers))


def _links(evaluations: QuerySet[Evaluation], run: Run) -> list[EvaluationLink]:
    overall = "figures__averages__overall"
    named = ("revision__dataset__benchmark", "revision__dataset__name", "revision__number")
    columns = ("pk", "iteration__number", "revision_id", *named, "total")
    rows = evaluations.order_by("pk").values_list(*columns, "direct_right", "adaptive_right", overall)
    return [
        EvaluationLink(
            iteration=number,
            name=_name(benchmark, dataset, version) if benchmark else "Held-out split",
            href=reverse("evaluation", args=[pk]),
            total=total,
            own=revision == run.revision_id,
            direct=_overall(told, "direct", direct / total),
            adaptive=_overall(told, "adaptive", adaptive / total),
        )
        for pk, number, revision, benchmark, dataset, version, total, direct, adaptive, told in rows
    ]


def _overall(told: Mapping[str, float | None] | None, strategy: str, share: float) -> float:
    value = (told or {}).get(strategy)
    return share if value is None else value


def _name(benchmark: str, dataset: str, version: int) -> str:
    """Told apart from others of the same benchmark: the data set is named where it is not called as the benchmark."""
    name = NAMES.get(benchmark, benchmark)
    called = name if dataset.lower() in (benchmark, name.lower()) else f"{name}, {dataset}"
    return f"{called} r{version}" if version > 1 else called


def _series(links: Iterable[EvaluationLink], name: str, place: int) -> Series:
    """Of adaptive's answers, with which the model is used."""
    return Series(f"series-{place % STYLES + 1}", tuple(_values([link for link in links if link.name == name])))


def _values(links: Sequence[EvaluationLink]) -> Iterable[Value]:
    for link in sorted(links, key=lambda link: link.iteration):
        value = 100 * link.adaptive
        yield Value(link.iteration, value, f"{link.name}, iteration {link.iteration}: {value:.2f} %")
