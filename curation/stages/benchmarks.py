"""Benchmarks of a project as the stages use them: which a run is evaluated on, and their items with the official answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from django.db.models import Q, Sum

from curation.models import Benchmark, BenchmarkAnswer, Measuring, Project, Run
from curation.stages import datasets, pool
from toolcalls.benchmarks.items import Item
from toolcalls.benchmarks.prompts import messages
from toolcalls.records import Message


def named(project: Project, name: str, number: int | None = None) -> Benchmark:
    """A revision, the last one where no number is given, of the project's benchmark with this slug or name.

    Raises InputError for what is not there.
    """
    return datasets.named(project, name, number, benchmark=True).benchmark


def evaluated(run: Run) -> list[int]:
    """Ids of the benchmarks that each iteration is evaluated on: those chosen for the run, and its own data where they are one.

    A benchmark's id is its revision's.
    """
    wanted = Benchmark.objects.filter(Q(pk=run.revision_id) | Q(chosen_by__run=run))
    return list(wanted.order_by("pk").values_list("pk", flat=True).distinct())


def beside(of: Run | Measuring) -> int:
    """How many items the benchmarks have that are chosen for a run, or for one that is thought of."""
    chosen = Benchmark.objects.filter(chosen_by__run=of) if isinstance(of, Run) else of.benchmarks.all()
    return int(chosen.aggregate(n=Sum("revision__heldout", default=0))["n"])


@lru_cache(maxsize=2)
def items(benchmark_id: int, versions: tuple[int, ...]) -> Mapping[int, Item]:
    """The items by version, in the order of the versions: those of a shard, which each step of its work asks for."""
    benchmark = _found(benchmark_id)
    answers = dict(BenchmarkAnswer.objects.filter(version__in=versions).values_list("version_id", "answer"))
    samples = pool.of_shard(versions)
    name = benchmark.revision.dataset.benchmark
    return {
        number: Item(entry.sample.id, name, entry.category, entry.sample, answers[number]) for number, entry in samples.items()
    }


def prompts(benchmark_id: int, versions: tuple[int, ...]) -> list[tuple[int, tuple[Message, ...]]]:
    """What a model is asked first of each item, by version."""
    kind = _found(benchmark_id).prompts
    return [(number, messages(item, kind)) for number, item in items(benchmark_id, versions).items()]


def _found(benchmark_id: int) -> Benchmark:
    found: Benchmark = Benchmark.objects.select_related("revision__dataset").get(pk=benchmark_id)
    return found
