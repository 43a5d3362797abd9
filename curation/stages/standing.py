"""What stands: decisions, written set by set, and their repetition on the verdicts, so that a list reads verdicts alone.

A decision waits for no assembly but its very end. Whoever writes decisions of a run takes its decisions' lock (`hold`), single
ones beside each other, an operation on many alone; then, for refine pairs, the row of the assembly's stage, which the loop must
move before it reads a decision. The assembly takes the lock alone for its last look at the decisions. The run's row is not
locked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from curation.models import Decision, Event, Iteration, Run, User
from curation.models.runs import RunState
from curation.models.shards import StageKind, StageState
from curation.stages.errors import WrongState

LOCK_SPACE = 7303  # first key of the decisions' advisory locks; the second is the run's id
ENDED = (RunState.SATURATED, RunState.COMPLETED, RunState.STOPPED)
NOT_BEGUN = (StageState.PENDING, StageState.FAILED)  # states of an assembly that has yet to read the decisions

_HERE = "run_id = %(run)s AND turn = %(turn)s AND (%(turn)s = 0 OR iteration_id = %(iteration)s) AND undone_at IS NULL"
STANDING = f"""
SELECT sample_id, id, kind FROM curation_decision
WHERE {_HERE} AND sample_id = ANY(%(samples)s) ORDER BY sample_id FOR NO KEY UPDATE
"""
END = "UPDATE curation_decision SET undone_at = statement_timestamp(), undone_by_id = %(event)s WHERE id = ANY(%(decisions)s)"
# The truth that a decision of before corrected stays corrected, whatever is decided now.
ADD = """
INSERT INTO curation_decision (run_id, iteration_id, sample_id, turn, kind, version_id, why, by_id, at, made_by_id)
SELECT %(run)s, %(iteration)s, s.id, %(turn)s, %(kind)s, coalesce(%(version)s, before.version_id), %(why)s, %(by)s,
       statement_timestamp(), %(event)s
FROM unnest(%(samples)s::bigint[]) s (id)
LEFT JOIN curation_decision before ON before.undone_by_id = %(event)s AND before.sample_id = s.id
"""
REPLACED = "SELECT count(*) FROM curation_decision WHERE undone_by_id = %(made_by)s AND sample_id = ANY(%(samples)s)"
RESTORE = """
UPDATE curation_decision SET undone_at = NULL, undone_by_id = NULL
WHERE undone_by_id = %(made_by)s AND sample_id = ANY(%(samples)s)
"""
# Of what the undone operation made and another replaced since: it comes back no more when that one is undone in its turn;
# what had stood before does.
SPLICE = """
UPDATE curation_decision before SET undone_by_id = made.undone_by_id
FROM curation_decision made JOIN curation_event e ON e.id = made.undone_by_id AND e.verb <> 'review.undo'
WHERE made.made_by_id = %(made_by)s AND before.undone_by_id = %(made_by)s AND before.sample_id = made.sample_id
"""
FORGET = """
UPDATE curation_decision made SET undone_by_id = %(event)s
FROM curation_event e WHERE made.made_by_id = %(made_by)s AND e.id = made.undone_by_id AND e.verb <> 'review.undo'
"""
# In the order of the rows: many of them, in any other, read and write the pages of each index over and over.
MARK = """
WITH marked AS MATERIALIZED (
    SELECT v.id, coalesce(d.kind, '') AS decision
    FROM unnest(%(samples)s::bigint[]) s (id)
    JOIN curation_verdict v ON v.sample_id = s.id AND v.turn = %(turn)s
    JOIN curation_iteration i ON i.id = v.iteration_id AND i.run_id = %(run)s AND (%(turn)s = 0 OR i.id = %(iteration)s)
    LEFT JOIN curation_decision d ON d.sample_id = s.id AND d.run_id = %(run)s AND d.turn = %(turn)s AND d.undone_at IS NULL
        AND (%(turn)s = 0 OR d.iteration_id = %(iteration)s)
    WHERE v.decision <> coalesce(d.kind, '')
    ORDER BY v.id
)
UPDATE curation_verdict v SET decision = marked.decision FROM marked WHERE v.id = marked.id
"""
SETTLE = """
UPDATE curation_verdict v SET decision = coalesce(d.kind, '')
FROM curation_verdict o
LEFT JOIN curation_decision d ON d.sample_id = o.sample_id AND d.run_id = %(run)s AND d.turn = 0 AND d.undone_at IS NULL
WHERE o.iteration_id = %(iteration)s AND o.turn = 0 AND v.id = o.id AND o.decision <> coalesce(d.kind, '')
"""


@dataclass(frozen=True, slots=True)
class Place:
    """What decisions are on: the samples of a run (turn 0), or the refine pairs of one of its iterations (turn 1)."""

    run: int
    iteration: int
    turn: int

    @property
    def names(self) -> dict[str, Any]:
        return {"run": self.run, "iteration": self.iteration, "turn": self.turn}


class Standing(NamedTuple):
    """A decision that stands."""

    sample: int
    decision: int
    kind: str


def hold(run_id: int, *, alone: bool) -> None:
    """Keep other writers of the run's decisions out until the transaction's end: those on many, or with `alone` all."""
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(%s, %s)", [LOCK_SPACE, run_id])


def check_open(iteration: Iteration, turn: int) -> None:
    """Raises WrongState when a decision comes too late to matter: on a sample once the run has ended, on a pair once its
    training set is being frozen."""
    run = Run.objects.only("name", "state").get(pk=iteration.run_id)
    if run.state in ENDED:
        raise WrongState(f"run {run} is {run.state}: a decision would change nothing")
    if turn and _assembly(iteration) not in NOT_BEGUN:
        raise WrongState(
            f"the training set of iteration {iteration.number} is frozen: a decision on its pair would change nothing"
        )


def _assembly(iteration: Iteration) -> str | None:
    """The state of the assembly, which stays until the transaction's end; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state FROM curation_stage WHERE iteration_id = %s AND kind = %s FOR SHARE", [iteration.pk, StageKind.ASSEMBLY]
        )
        row = cursor.fetchone()
    return None if row is None else str(row[0])


def standing(place: Place, samples: Sequence[int]) -> list[Standing]:
    """The decisions that stand on these samples or their pairs, by sample; locked."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING, {**place.names, "samples": list(samples)})
        return [Standing(*row) for row in cursor.fetchall()]


def put(
    place: Place, samples: Sequence[int], kind: str, event: Event, *, before: Sequence[Standing], by: User, why: str,
    version: int | None = None,
) -> None:  # fmt: skip
    """Let a decision stand on each of the samples in the stead of `before`. `version` is the corrected one, of a fix."""
    names = {**place.names, "samples": list(samples), "event": event.pk}
    with connection.cursor() as cursor:
        if before:
            cursor.execute(END, {**names, "decisions": [each.decision for each in before]})
        cursor.execute(ADD, {**names, "kind": kind, "version": version, "why": why, "by": by.pk})
        cursor.execute(MARK, names)


def replaced(event: Event, samples: Sequence[int]) -> int:
    """How many decisions on these samples an operation ended."""
    with connection.cursor() as cursor:
        cursor.execute(REPLACED, {"made_by": event.pk, "samples": list(samples)})
        return int(cursor.fetchone()[0])


def take_back(place: Place, taken: Sequence[Standing], made_by: Event, event: Event) -> None:
    """End these decisions of `made_by` and let those stand again that it ended for them."""
    names = {**place.names, "samples": [each.sample for each in taken], "event": event.pk, "made_by": made_by.pk}
    with connection.cursor() as cursor:
        cursor.execute(END, {**names, "decisions": [each.decision for each in taken]})
        cursor.execute(RESTORE, names)
        cursor.execute(SPLICE, names)
        cursor.execute(FORGET, names)
        cursor.execute(MARK, names)


def settle(iteration: Iteration) -> None:
    """Repeat what stands on the verdicts that were written while somebody decided. Needs that no more of turn 0 are written."""
    hold(iteration.run_id, alone=True)
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, {"run": iteration.run_id, "iteration": iteration.pk})


def made_standing(event: Event) -> list[Standing]:
    """The decisions that an operation made and that still stand, by sample; locked."""
    rows = Decision.objects.standing().filter(made_by=event).select_for_update(no_key=True).order_by("sample_id")
    return [Standing(*row) for row in rows.values_list("sample_id", "pk", "kind")]
