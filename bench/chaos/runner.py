"""A calm run, then disturbed ones until every fault has struck; what each fault cost, and how the runs compare."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command

from bench.chaos import work
from bench.chaos.faults import KINDS, QUICK, Fault, draw, strike
from bench.chaos.record import Compared, amiss, compare, done_twice
from bench.chaos.site import Site
from bench.chaos.work import CHECKPOINT_STEPS, GOOD, Size, patiently, wait_for
from curation.models import Run
from curation.stages import registering

LEASED_AGAIN = 15.0  # seconds, at most, after the kill of its worker (issue 5)


@dataclass(frozen=True, slots=True)
class Hit:
    """One fault as it struck."""

    number: int
    kind: str
    stage: str  # at work then
    words: str
    seconds: float  # until work went on
    of_training: float | None = None  # seconds until a killed training recorded a step again, the model's loading included
    repeated: int | None = None  # its steps that were made again


def disturb(options: argparse.Namespace, var: Path) -> dict[str, Any]:
    """All of it. Returns the report; its `complaints` are empty when all is well."""
    size = Size(options.train, options.heldout, options.iterations, options.k, shard=6 // max(1, options.devices))
    faults = draw(options.seed, options.faults, QUICK if options.quick else tuple(KINDS))
    hits: list[Hit] = []
    runs: list[Run] = []
    with Site(var, options.workers, options.devices) as site:
        call_command("migrate", interactive=False, verbosity=0)
        revision = work.import_world(var, size.train, size.heldout)
        engine = registering.register_engine(options.engine, options.engine)
        site.hire()
        calm, calm_seconds = in_peace(work.start_run(revision, engine, size.settings))
        say(f"undisturbed: {calm.state} in {calm_seconds:.0f} s")
        left = iter(faults)
        began = time.monotonic()
        while len(hits) < len(faults):
            runs.append(patiently(lambda: work.start_run(revision, engine, size.settings)))
            hits += _under_faults(site, runs[-1], left, len(hits))
        disturbed_seconds = time.monotonic() - began
        compared = [compare(calm, run) for run in runs]
        complaints = [*_complaints(runs, compared, same=options.engine != "vllm"), *_late(hits)]
    for number, one in enumerate(compared, 1):
        say(f"run {number}: " + "; ".join(_words(kind) for kind in one))
    return {
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "load": os.getloadavg(),
        "options": {name: value for name, value in vars(options).items() if name != "report"},
        "calm_seconds": round(calm_seconds, 1),
        "disturbed_seconds": round(disturbed_seconds, 1),
        "runs": [[asdict(kind) for kind in one] for one in compared],
        "recovery": _recovery(hits),
        "hits": [asdict(hit) for hit in hits],
        "complaints": complaints,
    }


def say(line: str) -> None:
    print(line, flush=True)


def in_peace(run: Run) -> tuple[Run, float]:
    began = time.monotonic()
    wait_for(lambda: work.is_over(run), run)
    return run, time.monotonic() - began


def _under_faults(site: Site, run: Run, faults: Iterator[Fault], before: int) -> list[Hit]:
    """Faults strike while somebody is at work, one after another, until the run is over or none is left."""
    hits: list[Hit] = []
    while not patiently(lambda: work.is_over(run)):
        wait_for(lambda: work.held_shards(run) or work.is_over(run), run)
        fault = next(faults, None)
        if fault is None:
            wait_for(lambda: work.is_over(run), run)
            break
        time.sleep(fault.pause)
        hits.append(_strike(site, run, fault, before + len(hits) + 1))
        hit = hits[-1]
        training = "" if hit.of_training is None else f"; trained on after {hit.of_training:.1f} s, {hit.repeated} steps repeated"
        say(f"{hit.number:3}  {hit.stage:11} {hit.words:38} work went on after {hit.seconds:.1f} s{training}")
    return hits


def _strike(site: Site, run: Run, fault: Fault, number: int) -> Hit:
    held, stage, moved = patiently(lambda: (work.held_shards(run), work.stage_of(run), work.pulse(run)))
    shards = patiently(lambda: {pk: work.held_shard(pk) for pk in held.values()})
    began = time.monotonic()
    struck = strike(site, fault, held)
    of_training = repeated = None
    if struck.shard is None:
        seconds = wait_for(lambda: work.pulse(run) != moved or work.is_over(run), run, began)
    else:
        shard = shards[struck.shard]
        seconds = wait_for(shard.is_leased_again, run, began)
        if shard.step is not None:
            of_training = wait_for(lambda: shard.next_step() or shard.is_done(), run, began)
            again = patiently(shard.next_step)
            repeated = shard.step + 1 - again if again is not None else 0
    if struck.afterwards is not None:
        struck.afterwards()
    return Hit(number, fault.kind, stage, struck.words, seconds, of_training, repeated)


def _recovery(hits: list[Hit]) -> dict[str, dict[str, float]]:
    """Seconds until work went on, by kind of fault."""
    found = {}
    for kind in sorted({hit.kind for hit in hits}):
        seconds = [hit.seconds for hit in hits if hit.kind == kind]
        found[kind] = {"faults": len(seconds), "median": round(statistics.median(seconds), 1), "most": max(seconds)}
    return found


def _complaints(runs: list[Run], compared: list[list[Compared]], *, same: bool) -> Iterator[str]:
    """`same`: the engine gives the same answers whoever asks, so that every row is to be the undisturbed run's."""
    for run in runs:
        if run.state not in GOOD:
            yield f"run {run.pk} is {run.state}: {run.why}"
        yield from (f"run {run.pk}: {words}" for words in amiss(run))
        if twice := done_twice(run):
            yield f"run {run.pk}: {twice} shards were stored twice or never"
    for run, kind in ((run, kind) for run, kinds in zip(runs, compared, strict=True) for kind in kinds if same):
        if kind.lost or kind.added:
            yield f"run {run.pk}: {kind.lost} {kind.kind} lost, {kind.added} too many"
        if kind.equal != kind.rows:
            yield f"run {run.pk}: {kind.rows - kind.equal} of {kind.rows} {kind.kind} differ from the undisturbed run's"


def _late(hits: list[Hit]) -> Iterator[str]:
    for hit in hits:
        if hit.kind == "kill worker" and hit.seconds > LEASED_AGAIN:
            yield f"fault {hit.number}: leased again after {hit.seconds:.1f} s, and not {LEASED_AGAIN:.0f}"
        if hit.repeated is not None and hit.repeated > CHECKPOINT_STEPS:
            yield f"fault {hit.number}: {hit.repeated} steps of training were repeated, and not {CHECKPOINT_STEPS} at most"


def _words(kind: Compared) -> str:
    lost = f", {kind.lost} lost, {kind.added} too many" if kind.lost or kind.added else ""
    return f"{kind.equal} of {kind.rows} {kind.kind} equal{lost}"
