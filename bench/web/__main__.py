"""How long the site's pages and decisions take at 100,000 samples and 800,000 generations, beside Label Studio's figures.

python -m bench.web [--samples 100000] [--requests 100] [--only evaluation] [--out bench/results/web.json]
A Postgres of its own, seeded (bench.web.seeding, and bench.web.evaluated with a benchmark of 3,641 items), the web server as
`manage.py supervise` starts it, one signed-in person, one request after another, warm. Milliseconds at the client; beside
them the milliseconds that server and Postgres computed, which say more where other processes share the cores: `others` is the
share of the machine that those took. With --only, what begins so is measured alone, and nothing is written without --out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.web.asking import Answer, Browser, Request
from bench.web.evaluated import seed_evaluations
from bench.web.evaluation_kinds import evaluation_kinds
from bench.web.kinds import DECISION, Kind, in_turn, kinds
from bench.web.label_studio import MEASURED, PEERS, VERSION
from bench.web.serving import cpu_seconds, database, machine_seconds, vacuum, web_server

RESULTS = Path(__file__).parents[1] / "results" / "web.json"
WARM = 5  # requests of a kind that are not counted
MANY = 10_000  # samples that the smaller operation on many decides on
PASSWORD = "of no use outside the benchmark"


@dataclass(frozen=True, slots=True)
class Place:
    """What is looked at."""

    run: Any
    iteration: Any
    samples: range

    @property
    def address(self) -> str:
        return f"/runs/{self.run.pk}/iterations/{self.iteration.number}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=100, help="of each kind")
    parser.add_argument("--only", default="", metavar="NAME", help="pages whose names begin so, with commas between them")
    parser.add_argument("--out", type=Path, help="of the report")
    options = parser.parse_args()
    out = options.out or (None if options.only else RESULTS)
    report: dict[str, Any] = {"commit": _commit(), "machine": _machine(), "samples": options.samples, "load": os.getloadavg()}
    with database(samples=options.samples) as (seeded, postgres), web_server() as server:
        place = _place(seeded)
        evaluations = seed_evaluations(place.run.project, place.run.base, place.run.engine)
        vacuum()
        browser = Browser(server.port, lambda: cpu_seconds(server.pid) + cpu_seconds(postgres))
        browser.sign_in(_person(place), PASSWORD)
        asked = [*kinds(place.run, place.iteration, place.samples), *evaluation_kinds(evaluations)]
        report["measured"] = measured(
            [kind for kind in asked if kind.name.startswith(tuple(options.only.split(",")))], browser, options.requests
        )
        report["measured"] |= {} if options.only else decided(place, browser, options.requests)
        report["memory_mib"] = server.memory()
    report |= {"peer": {"name": VERSION, "measured": MEASURED}, "load_after": os.getloadavg()}
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def measured(asked: Sequence[Kind], browser: Browser, number: int) -> dict[str, Any]:
    """Each kind, said as soon as it is known."""
    found = {}
    for kind in asked:
        found[kind.name] = figures(lambda kind=kind: answers(browser, kind, number), kind.goal, PEERS.get(kind.name))
        print(f"{kind.name:32} {json.dumps(found[kind.name], ensure_ascii=False)}", flush=True)
    return found


def decided(place: Place, browser: Browser, number: int) -> dict[str, Any]:
    """What changes most, after all else."""
    found = {}
    for name, goal, make in _decisions(place, browser, number):
        found[name] = figures(make, goal, None)
        print(f"{name:32} {json.dumps(found[name])}", flush=True)
    return found


def answers(browser: Browser, kind: Kind, number: int) -> list[Answer]:
    for request in in_turn(kind.requests, WARM):
        browser.ask(request)
    return [browser.ask(request) for request in in_turn(kind.requests, max(number, len(kind.requests)))]


def figures(make: Callable[[], Sequence[Answer]], goal: float | None, peer: Any) -> dict[str, Any]:
    """Percentiles in ms; `met` is whether the goal holds by the wall clock."""
    machine, start = machine_seconds(), time.perf_counter()
    given = make()
    wall, ours = time.perf_counter() - start, sum(answer.cpu for answer in given)
    others = max(0.0, machine_seconds() - machine - ours) / (wall * (os.cpu_count() or 1))
    seconds, cpu = [answer.seconds for answer in given], [answer.cpu for answer in given]
    said: dict[str, Any] = {"requests": len(given), "p50": _ms(seconds, 50), "p95": _ms(seconds, 95)}
    said |= {"cpu_p50": _ms(cpu, 50), "cpu_p95": _ms(cpu, 95), "others": round(others, 2)}
    if goal is not None:
        said |= {"goal": goal, "met": said["p95"] <= goal}
    if peer is not None:
        said |= {"peer": {**peer._asdict(), "ratio": round(peer.p95 / said["p95"], 1)}}
    return said


def _decisions(place: Place, browser: Browser, number: int) -> Iterator[tuple[str, float | None, Callable[[], list[Answer]]]]:
    """Single ones and their undoing; then on many, each once, because they leave the tables as they find them but larger."""
    undos: list[str] = []

    def decide() -> list[Answer]:
        answers = [browser.ask(_decision(place, sample)) for sample in place.samples[:: len(place.samples) // number][:number]]
        undos.extend(answer.undo for answer in answers)
        return answers

    yield "decision", DECISION, decide
    yield "undo", DECISION, lambda: [browser.ask(Request(address, form={}, htmx="none")) for address in undos]
    for name, f in _bulks(place):
        done: list[Answer] = []
        yield f"decide {name}", None, lambda f=f, done=done: done.append(browser.ask(_decision_on_many(place, f))) or done
        yield f"undo {name}", None, lambda done=done: [browser.ask(Request(done[0].undo, form={}, htmx="none"))]


def _bulks(place: Place) -> Iterator[tuple[str, Any]]:
    """The one facet value that finds about MANY, and the one that finds the most that are decided at once."""
    from curation.stages.filtering import VerdictFilter, facets_of, filter_from
    from curation.stages.review import most_at_once

    values = [(facet.name, value) for facet in facets_of(place.iteration, VerdictFilter(0)) for value in facet.values]
    allowed = [each for each in values if each[1].count <= most_at_once(place.iteration, 0)]
    for name, value in (min(values, key=lambda each: abs(each[1].count - MANY)), max(allowed, key=lambda each: each[1].count)):
        yield f"{value.count:,}", filter_from({name: [value.value]}, 0)


def _decision(place: Place, sample: int) -> Request:
    return Request(f"{place.address}/decide/", form={"sample": sample, "turn": 0, "kind": "drop"}, htmx="none")


def _decision_on_many(place: Place, f: Any) -> Request:
    from urllib.parse import parse_qs

    from curation.stages.filtering import count_of, filter_query

    form = {"turn": 0, "kind": "drop", "expected": count_of(place.iteration, f), **parse_qs(filter_query(f))}
    return Request(f"{place.address}/decide-all/", form=form, htmx="none")


def _place(seeded: Any) -> Place:
    from curation.models import Iteration

    iteration = Iteration.objects.select_related("run__project__team").get(pk=seeded.iterations[-1])
    return Place(iteration.run, iteration, range(seeded.first_sample, seeded.last_sample + 1))


def _person(place: Place) -> str:
    """The address of a new reviewer."""
    from curation.models import Role
    from curation.stages import people

    user = people.create_user("bench@example.org", "Bench", PASSWORD)
    people.add_member(place.run.project.team, user, Role.REVIEWER, None)
    return str(user.email)


def _ms(seconds: Sequence[float], percent: int) -> float:
    one = seconds[0] if len(seconds) == 1 else statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1]
    return round(1000 * one, 1)


def _commit() -> str:
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB"


if __name__ == "__main__":
    main()
