"""What goes wrong, and when: drawn beforehand by a seed, so that the same seed strikes in the same way."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

import redis

from bench.chaos.site import Site, Worker

Held = Mapping[str, int]  # owner → the shard that it holds


@dataclass(frozen=True, slots=True)
class Fault:
    """One drawn fault. `share`, 0 to 1, chooses among what there is when it strikes, and how long something is away."""

    kind: str
    pause: float  # seconds of work before it
    share: float


class Struck(NamedTuple):
    """What a fault did, in words; the shard that has to be leased again because of it; what is to be done once it was."""

    words: str
    shard: int | None = None
    afterwards: Callable[[], None] | None = None


def kill_worker(site: Site, fault: Fault, held: Held) -> Struck:
    victim = _victim(site, fault, held)
    victim.kill()
    site.workers.remove(victim)
    site.hire()
    return Struck(f"{victim.name} killed", held.get(victim.owner))


def let_worker_leave(site: Site, fault: Fault, held: Held) -> Struck:
    victim = _victim(site, fault, held)
    victim.leave()
    site.workers.remove(victim)
    site.hire()
    return Struck(f"{victim.name} asked to end", held.get(victim.owner))


def stop_worker(site: Site, fault: Fault, held: Held) -> Struck:
    """SIGSTOP, for longer than a lease. Another is hired; when this one wakes it may finish what it thinks it holds."""
    victim, began = _victim(site, fault, held), time.monotonic()
    victim.stand_still()
    site.workers.remove(victim)
    site.hire()

    def wake_and_leave() -> None:
        time.sleep(max(0.0, began + STILL - time.monotonic()))
        victim.go_on()
        time.sleep(LATE)
        victim.leave()

    return Struck(f"{victim.name} stands still for {STILL:.0f} s", held.get(victim.owner), wake_and_leave)


def restart_postgres(site: Site, fault: Fault, held: Held) -> Struck:
    site.restart_postgres(kill=False)
    return Struck("Postgres restarted")


def kill_postgres(site: Site, fault: Fault, held: Held) -> Struck:
    site.restart_postgres(kill=True)
    return Struck("Postgres killed")


def kill_valkey(site: Site, fault: Fault, held: Held) -> Struck:
    away = 0.5 + 3 * fault.share
    site.restart_valkey(away)
    return Struck(f"Valkey killed, back after {away:.1f} s")


def flush_valkey(site: Site, fault: Fault, held: Held) -> Struck:
    with closing(redis.Redis.from_url(site.valkey.client_url)) as client:
        client.flushall()
    return Struck("Valkey flushed")


def double_messages(site: Site, fault: Fault, held: Held) -> Struck:
    from curation.celery import WAKE_UP, app

    number = 1 + round(15 * fault.share)
    for _ in range(number):
        app.send_task(WAKE_UP, queue="celery")
    return Struck(f"{number} messages too many")


STILL = 40.0  # seconds: longer than a lease
LATE = 5.0  # seconds in which a worker that woke may try to write
Strike = Callable[[Site, Fault, Held], Struck]
KINDS: Mapping[str, tuple[Strike, int]] = {  # with their weights
    "kill worker": (kill_worker, 8),
    "restart Postgres": (restart_postgres, 3),
    "kill Postgres": (kill_postgres, 2),
    "kill Valkey": (kill_valkey, 2),
    "flush Valkey": (flush_valkey, 1),
    "double messages": (double_messages, 2),
    "worker leaves": (let_worker_leave, 2),
    "worker stands still": (stop_worker, 1),
}
QUICK = tuple(kind for kind in KINDS if kind != "worker stands still")


def draw(seed: int, number: int, kinds: tuple[str, ...] = tuple(KINDS)) -> list[Fault]:
    """So many faults: each kind once, as far as the number allows, and the rest by their weights; in an order by chance."""
    chance = random.Random(seed)
    once = chance.sample(kinds, min(number, len(kinds)))
    rest = chance.choices(kinds, weights=[KINDS[kind][1] for kind in kinds], k=number - len(once))
    chosen = [*once, *rest]
    chance.shuffle(chosen)
    return [Fault(kind, chance.uniform(0.5, 4.0), chance.random()) for kind in chosen]


def strike(site: Site, fault: Fault, held: Held) -> Struck:
    return KINDS[fault.kind][0](site, fault, held)


def _victim(site: Site, fault: Fault, held: Held) -> Worker:
    """One that is at work, where there is one."""
    among = [worker for worker in site.workers if worker.owner in held] or site.workers
    return among[int(fault.share * len(among))]
