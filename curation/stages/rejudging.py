"""Re-judging: an iteration's stored attempts under other rules of comparing, on the CPU, beside the verdicts that stand.

What the run selected and trained stays as it was; a new run (or the run's next iterations, which always compare by the
comparator of their time) takes other rules from its settings. A sample that stopped at its first hit, and has none under
the other rules, is unknown: the attempts that would decide were not made.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from curation.models import ChangedVerdict, Generation, Iteration, Rejudging, Role, User, Verdict
from curation.models.rejudging import RejudgingState
from curation.stages import children, events, judging, pool
from curation.stages.errors import InputError, WrongState
from curation.stages.people import require
from curation.stages.refinement import generation
from toolcalls.comparing import Comparator
from toolcalls.selection import judge_all, verdict
from toolcalls.settings import Settings, SettingsError, settings_from, settings_json
from toolcalls.waves import wanted

RULES = tuple(field.name for field in dataclasses.fields(Comparator))  # settings of a run that say how answers are compared
BATCH = 200  # verdicts judged and written at once
SILENCE = timedelta(seconds=60)  # after which a re-judging that gave no sign of life is thought dead
KEPT = 20  # re-judgings of an iteration; more must be discarded first
INTERRUPTED = "it was interrupted; discard it and judge again"

Counts = dict[str, dict[str, dict[str, int]]]  # turn → outcome before → outcome now → verdicts


def rules_of(settings: Settings) -> dict[str, Any]:
    """The part of a run's settings that compares."""
    return {name: value for name, value in settings_json(settings).items() if name in RULES}


def begin(iteration: Iteration, rules: Mapping[str, Any], by: User | None, *, here: bool = False) -> Rejudging:
    """Judge an iteration again by the run's rules but for those given, in a process of its own unless `here`.

    Raises InputError for a rule that is none or a value that cannot be, WrongState while nothing is judged yet or another
    re-judging of the iteration is under way.
    """
    require(by, iteration.run.project.team, Role.REVIEWER)
    settings = _with(iteration.run.choices, rules)
    total = Verdict.objects.filter(iteration=iteration).count()
    if not total:
        raise WrongState(f"iteration {iteration.number} has judged nothing yet; wait for its sampling")
    with transaction.atomic():
        Iteration.objects.select_for_update(no_key=True).get(pk=iteration.pk)
        _refuse_another(iteration)
        made = Rejudging.objects.create(
            iteration=iteration,
            rules=rules_of(settings),
            comparator=pool.comparator_of(settings).version,
            total=total,
            by=by,
            seen_at=timezone.now(),
        )
        after = {"iteration": iteration.number, "comparator": made.comparator}
        events.record("rejudging.begin", made, run_id=iteration.run_id, actor=by, after=after)
        if not here:
            transaction.on_commit(lambda: children.start("rejudge", made.pk, "rejudging.log"))
    return made


def _with(settings: Settings, rules: Mapping[str, Any]) -> Settings:
    if unknown := sorted(set(rules) - set(RULES)):
        raise InputError(f"{unknown[0][:40]!r} is no rule of comparing; there are {', '.join(RULES)}")
    try:
        return settings_from({**settings_json(settings), **rules})
    except SettingsError as error:
        raise InputError(str(error)) from error


def _refuse_another(iteration: Iteration) -> None:
    known = [one for one in Rejudging.objects.filter(iteration=iteration) if one.state != RejudgingState.DISCARDED]
    if any(one.state == RejudgingState.JUDGING and not is_dead(one) for one in known):
        raise WrongState(f"iteration {iteration.number} is being judged again already; wait for that, or discard it")
    if len(known) >= KEPT:
        raise WrongState(f"iteration {iteration.number} has {KEPT} re-judgings; discard one of them first")


def run(rejudging: Rejudging, on_progress: Callable[[int], None] | None = None) -> None:
    """Judge all verdicts, batch by batch; notes how it ended. Raises WrongState when it was discarded meanwhile."""
    settings = _with(rejudging.iteration.run.choices, rejudging.rules)
    counts: Counts = defaultdict(lambda: defaultdict(Counter))
    try:
        last = 0
        while batch := list(Verdict.objects.filter(iteration=rejudging.iteration_id, pk__gt=last).order_by("pk")[:BATCH]):
            last = batch[-1].pk
            changed = _judged_again(rejudging, batch, settings, counts)
            _write(rejudging, len(batch), changed, counts)
            if on_progress:
                on_progress(rejudging.judged)
        _close(rejudging, RejudgingState.DONE, "")
    except WrongState:
        raise
    except Exception:
        _close(rejudging, RejudgingState.FAILED, "it failed for a reason of the server's; the operator's log says why")
        raise


def _judged_again(
    rejudging: Rejudging, batch: Sequence[Verdict], settings: Settings, counts: Counts
) -> list[ChangedVerdict]:  # fmt: skip
    """The verdicts of a batch that come out differently. Those without stored attempts are counted nowhere."""
    comparator = pool.comparator_of(settings)
    samples = pool.load(sorted({one.version_id for one in batch}))
    attempts = _attempts(rejudging.iteration_id, samples)
    changed = []
    for before in batch:
        written = attempts.get((before.version_id, before.turn))
        if not written:
            continue
        judgements = judge_all(written, samples[before.version_id].sample, comparator, "any_no_call")
        now = verdict(written, judgements, comparator, settings.tolerance, k=wanted(settings))
        outcome = judging.outcome(now, excluded=before.excluded)
        counts[str(before.turn)][before.outcome][outcome] += 1
        if (outcome, now.approximate_hits, now.exact_hits) != (before.outcome, before.approximate_hits, before.exact_hits):
            changed.append(_changed(rejudging, before, outcome, now.approximate_hits, now.exact_hits))
    return changed


def _attempts(iteration: int, versions: Mapping[int, object]) -> dict[tuple[int, int], list[Any]]:
    """(version, turn) → the generations that a verdict judged, in their order; the extra greedy one is none of them."""
    rows = Generation.objects.filter(iteration=iteration, version_id__in=list(versions), attempt__gte=0)
    found: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for row in rows.order_by("version_id", "turn", "attempt"):
        found[row.version_id, row.turn].append(generation(row))
    return found


def _changed(rejudging: Rejudging, before: Verdict, outcome: str, hits: int, exact: int) -> ChangedVerdict:
    return ChangedVerdict(
        rejudging=rejudging,
        sample_id=before.sample_id,
        version_id=before.version_id,
        turn=before.turn,
        outcome_before=before.outcome,
        hits_before=before.approximate_hits,
        outcome=outcome,
        hits=hits,
        exact_hits=exact,
        attempts=before.attempts,
    )


@transaction.atomic
def _write(rejudging: Rejudging, judged: int, changed: Sequence[ChangedVerdict], counts: Counts) -> None:
    """What a batch came to, as long as no other process does the same work and nobody has discarded it."""
    mine = Rejudging.objects.filter(pk=rejudging.pk, state=RejudgingState.JUDGING, judged=rejudging.judged)
    if not mine.update(judged=F("judged") + judged, counts=counts, seen_at=timezone.now()):
        raise WrongState(f"re-judging {rejudging.pk} was discarded, or another process does it")
    ChangedVerdict.objects.bulk_create(changed)
    rejudging.judged += judged


@transaction.atomic
def _close(rejudging: Rejudging, state: str, error: str) -> None:
    mine = Rejudging.objects.filter(pk=rejudging.pk, state=RejudgingState.JUDGING)
    if not mine.update(state=state, error=error, closed_at=timezone.now()):
        raise WrongState(f"re-judging {rejudging.pk} was discarded meanwhile")
    iteration = rejudging.iteration
    after = {"iteration": iteration.number, "changed": rejudging.changed.count()}
    verb = "rejudging.complete" if state == RejudgingState.DONE else "rejudging.fail"
    events.record(verb, rejudging, run_id=iteration.run_id, actor=rejudging.by, after=after)
    rejudging.refresh_from_db()


@transaction.atomic
def discard(rejudging: Rejudging, by: User | None) -> None:
    """Forget what a re-judging found; one that is under way ends with its batch."""
    iteration = rejudging.iteration
    require(by, iteration.run.project.team, Role.REVIEWER)
    there = Rejudging.objects.filter(pk=rejudging.pk).exclude(state=RejudgingState.DISCARDED)
    if not there.update(state=RejudgingState.DISCARDED, closed_at=timezone.now()):
        raise WrongState("this re-judging has been discarded already")
    rejudging.changed.all().delete()
    after = {"iteration": iteration.number, "comparator": rejudging.comparator}
    events.record("rejudging.discard", rejudging, run_id=iteration.run_id, actor=by, after=after)


def is_dead(rejudging: Rejudging) -> bool:
    """Whether it gave no sign of life for so long that its process must be gone."""
    silent = rejudging.seen_at is None or rejudging.seen_at < timezone.now() - SILENCE
    return rejudging.state == RejudgingState.JUDGING and silent


def standing(rejudging: Rejudging) -> tuple[str, str]:
    """Its state and its error as people are told: one that died has failed."""
    return (str(RejudgingState.FAILED), INTERRUPTED) if is_dead(rejudging) else (rejudging.state, rejudging.error)


def selected(counts: Mapping[str, Mapping[str, Mapping[str, int]]], turn: int) -> tuple[int, int]:
    """How many of a turn were selected before, and would be now at least: outcomes that are unknown count as none."""
    hit = ("exact", "approximate")
    moves = [(before, now, number) for before, to in counts.get(str(turn), {}).items() for now, number in to.items()]
    return sum(n for before, _, n in moves if before in hit), sum(n for _, now, n in moves if now in hit)
