"""A benchmark of the size of BFCL's single turns, invented, and two evaluations on it, stored beside a seeded run.

Samples and answers are made up (bench.web.invented), and so is what the scorer is said to have found: no scorer is asked. All
else is the site's: the benchmark is imported, the items are rows as a worker writes them, the figures are counted from them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db import transaction

from bench.web import invented
from bench.web.invented import Attempt, Model
from toolcalls.answers import Call
from toolcalls.benchmarks.catalogue import Benchmark
from toolcalls.benchmarks.files import FileRead
from toolcalls.benchmarks.items import Item
from toolcalls.canonical import text_equal
from toolcalls.settings import Settings, settings_json
from toolcalls.strategies import Traced

SIZES = {
    "simple_python": 400, "simple_java": 100, "simple_javascript": 50, "multiple": 200, "parallel": 200,
    "parallel_multiple": 200, "irrelevance": 240, "live_simple": 258, "live_multiple": 1053, "live_parallel": 16,
    "live_parallel_multiple": 24, "live_irrelevance": 884, "live_relevance": 16,
}  # fmt: skip
REFINED = 4  # turns
SKILLS = (0.55, 0.65)  # of the two models
NOW = "2026-01-01 00:00:00+00"


def seed_evaluations(project: Any, base: Any, engine: Any, *, seed: int = 0, share: float = 1.0) -> tuple[Any, ...]:
    """Two evaluations of one invented benchmark; `share` of BFCL's items, at least one of each category."""
    from curation.stages.benchmark_import import import_benchmark

    read = Benchmark("bfcl", tuple(items(seed, share)), (FileRead("invented.json", "0" * 64, False),), "0" * 64)
    with transaction.atomic():
        benchmark = import_benchmark(project, "bfcl", read).benchmark
        return tuple(_evaluated(benchmark, read, base, engine, skill, seed) for skill in SKILLS)


def items(seed: int, share: float = 1.0) -> Iterator[Item]:
    """In BFCL's categories, with tools, questions and answers of the kind."""
    known = invented.tools(random.Random(seed))
    for category, size in SIZES.items():
        for number in range(max(1, round(share * size))):
            yield _item(f"{category}_{number}", category, known, random.Random(f"{seed} {category} {number}"))


def _item(identity: str, category: str, known: list[dict[str, Any]], chance: random.Random) -> Item:
    drawn = invented.sample(0, known, chance, "heldout")
    wanted = 0 if "irrelevance" in category else 2 if "parallel" in category else 1
    truth = tuple(invented.call(chance.choice(drawn.tools), chance) for _ in range(wanted)) or None
    text = None if truth else "None of the functions can tell that."
    sample = replace(drawn, id=identity, category=category, truth=truth, truth_text=text, language="en")
    return Item(identity, "bfcl", category, sample, [_accepted(call) for call in truth] if truth else None)


def _accepted(call: Call) -> dict[str, Any]:
    return {call.name: {name: [value] for name, value in call.arguments.items()}}


def _evaluated(benchmark: Any, read: Benchmark, base: Any, engine: Any, skill: float, seed: int) -> Any:
    from curation.models import EvaluationItem, Iteration, Run, Stage
    from curation.stages import evaluation, scores
    from curation.stages.copying import copy_rows

    revision = benchmark.revision
    place: dict[str, Any] = {"project": revision.dataset.project, "dataset": revision.dataset, "revision": revision}
    settings = settings_json(Settings(refine_turns=REFINED))
    place |= {"base": base, "engine": engine, "settings": settings, "started_at": NOW, "ended_at": NOW}
    run = Run.objects.create(**place, purpose="evaluation", name=f"Skill {skill}", state="completed")
    iteration = Iteration.objects.create(run=run, number=0, state="done", closed_at=NOW)
    Stage.objects.create(iteration=iteration, kind="evaluation", position=0, state="done", opened_at=NOW, closed_at=NOW)
    versions = revision.entries.order_by("position").values_list("version_id", flat=True)
    rows = (
        (iteration.pk, revision.pk, version, "0" * 64, *evaluation.row_of(traced(item, skill, seed)))
        for version, item in zip(versions, read.items, strict=True)
    )
    copy_rows(EvaluationItem, evaluation.COLUMNS, rows)
    scores.summarise(run, iteration)
    return iteration.evaluations.select_related("iteration__run__project__team", "revision__dataset").get()


def traced(item: Item, skill: float, seed: int) -> Traced:
    """An item's answers A₀ … Aₙ, of which two alike end the asking, as said to have been judged."""
    chance = random.Random(f"{seed} {skill} {item.id}")
    given = Model(chance, skill).answer(item.sample, REFINED + 1).attempts
    asked = next((turn for turn in range(1, len(given)) if text_equal(given[turn].text, given[turn - 1].text)), REFINED) + 1
    kept, copies = given[:asked], REFINED + 1 - asked
    answers = (*kept, *kept[-1:] * copies)
    errors = tuple(map(_error, answers))
    return Traced(
        id=item.id,
        category=item.category,
        answers=tuple(each.text for each in answers),
        right=tuple(error is None for error in errors),
        error_types=errors,
        prompt_tokens=(*(640,) * asked, *(0,) * copies),
        completion_tokens=(*(len(each.text) // 3 for each in kept), *(0,) * copies),
    )


def _error(attempt: Attempt) -> str | None:
    return None if attempt.max_param_diff == 0 else attempt.reason or "value_error"
