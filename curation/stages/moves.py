"""The legal moves of runs, iterations, stages, shards and what else has states, and the one way to make one: a guarded update."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from django.db import models

from curation.models import Iteration, Measuring, Run, Shard, Stage, Trial
from curation.models.measuring import MeasuringState
from curation.models.runs import IterationState, RunState
from curation.models.shards import ShardState, StageState
from curation.models.trials import TrialState
from curation.stages.errors import WrongState

Moves = Mapping[str, Set[str]]

# from → to. A state that leads nowhere is an end.
RUN_MOVES: Moves = {
    RunState.READY: {RunState.RUNNING, RunState.STOPPED},
    RunState.RUNNING: {*RunState} - {RunState.READY, RunState.RUNNING},
    RunState.WAITING: {RunState.RUNNING, RunState.STOPPED},  # a person starts the next iteration
    RunState.PAUSED: {RunState.RUNNING, RunState.STOPPED, RunState.FAILED},
    RunState.FAILED: {RunState.RUNNING, RunState.STOPPED},  # retry
    RunState.SATURATED: set(),
    RunState.COMPLETED: set(),
    RunState.STOPPED: set(),
}
ITERATION_MOVES: Moves = {
    IterationState.OPEN: {*IterationState} - {IterationState.OPEN},
    IterationState.FAILED: {IterationState.OPEN, IterationState.STOPPED},  # retry
    IterationState.DONE: set(),
    IterationState.SELECTION_ONLY: set(),
    IterationState.STOPPED: set(),
}
STAGE_MOVES: Moves = {
    StageState.PENDING: {StageState.RUNNING, StageState.CANCELLED},
    StageState.RUNNING: {StageState.DONE, StageState.FAILED, StageState.CANCELLED},
    StageState.FAILED: {StageState.RUNNING, StageState.CANCELLED},  # retry
    StageState.DONE: set(),
    StageState.CANCELLED: set(),
}
SHARD_MOVES: Moves = {
    ShardState.PENDING: {ShardState.LEASED, ShardState.CANCELLED},
    # Back to pending: given back, or its holder died.
    ShardState.LEASED: {ShardState.DONE, ShardState.PENDING, ShardState.FAILED, ShardState.CANCELLED},
    ShardState.FAILED: {ShardState.PENDING, ShardState.CANCELLED},  # retry
    ShardState.DONE: set(),
    ShardState.CANCELLED: set(),
}
MEASURING_MOVES: Moves = {
    MeasuringState.WAITING: {MeasuringState.MEASURING},
    # Claimed anew, because its worker is thought dead; or given back.
    MeasuringState.MEASURING: {*MeasuringState},
    MeasuringState.DONE: set(),
    MeasuringState.FAILED: set(),
}
TRIAL_MOVES: Moves = {
    TrialState.WAITING: {TrialState.ANSWERING, TrialState.CANCELLED, TrialState.FAILED},  # failed: no worker came for a day
    # Claimed anew, because its worker is thought dead; or given back.
    TrialState.ANSWERING: {TrialState.WAITING, TrialState.ANSWERING, TrialState.DONE, TrialState.FAILED},
    TrialState.DONE: set(),
    TrialState.FAILED: set(),
    TrialState.CANCELLED: set(),
}
LEGAL_MOVES: Mapping[type[models.Model], Moves] = {
    Run: RUN_MOVES,
    Iteration: ITERATION_MOVES,
    Stage: STAGE_MOVES,
    Shard: SHARD_MOVES,
    Measuring: MEASURING_MOVES,
    Trial: TRIAL_MOVES,
}


def move(
    model: type[models.Model],
    pk: int,
    from_: str | Iterable[str],
    to: str,
    *,
    where: Mapping[str, Any] | None = None,
    **fields: Any,
) -> None:
    """Move one row from `from_` (a state or several) to `to` and set `fields`, if it is still there and meets `where`.

    Raises WrongState when no row was moved: another writer was first, or the row is in another state.
    """
    if not move_all(model._default_manager.filter(pk=pk, **(where or {})), from_, to, **fields):
        raise WrongState(_refusal(model, pk, from_, to))


def move_all(rows: models.QuerySet[Any], from_: str | Iterable[str], to: str, **fields: Any) -> int:
    """Move every row of the query that is in one of `from_`; returns how many were moved."""
    states = _states(from_)
    check_legal(rows.model, states, to)
    return rows.filter(state__in=states).update(state=to, **fields)


def check_legal(model: type[models.Model], from_: Iterable[str], to: str) -> None:
    """Raises ValueError when the table has no such move: a fault of the caller, whatever the rows say."""
    table = LEGAL_MOVES[model]
    for state in from_:
        if to not in table[state]:
            raise ValueError(f"no move of a {model.__name__} leads from {state} to {to}")


def _states(from_: str | Iterable[str]) -> tuple[str, ...]:
    return (str(from_),) if isinstance(from_, str) else tuple(str(state) for state in from_)


def _refusal(model: type[models.Model], pk: int, from_: str | Iterable[str], to: str) -> str:
    name = model.__name__.lower()
    now = model._default_manager.filter(pk=pk).values_list("state", flat=True).first()
    if now is None:
        return f"{name} {pk} does not exist"
    wanted = _states(from_)
    if now in wanted:
        return f"{name} {pk} was changed by another at the same time; look again"
    already = " already" if now == to else ""
    return f"{name} {pk} is {now}{already}; it becomes {to} only from {' or '.join(wanted)}"
