"""The table of moves covers every state, and a move that is not made says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from curation.models import Iteration, Run, Shard, Stage
from curation.models.runs import IterationState, RunState
from curation.models.shards import ShardState, StageState
from curation.stages import moves
from curation.stages.errors import WrongState

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.mark.parametrize(
    ("model", "states"), [(Run, RunState), (Iteration, IterationState), (Stage, StageState), (Shard, ShardState)]
)
def test_table_names_every_state_and_leads_to_known_ones(model: type[Any], states: Any) -> None:
    table = moves.LEGAL_MOVES[model]
    assert set(table) == set(states)
    assert set().union(*table.values()) <= set(states)
    assert all(state not in following for state, following in table.items())


@pytest.mark.parametrize("end", [RunState.SATURATED, RunState.COMPLETED, RunState.STOPPED])
def test_ended_run_goes_nowhere(end: str) -> None:
    assert not moves.RUN_MOVES[end]


def test_move_sets_the_state_and_the_fields(make_run: Callable[..., Run]) -> None:
    run = make_run()
    moves.move(Run, run.pk, RunState.READY, RunState.RUNNING, why="because")
    run.refresh_from_db()
    assert (run.state, run.why) == (RunState.RUNNING, "because")


def test_move_from_another_state_says_which(make_run: Callable[..., Run]) -> None:
    run = make_run()
    with pytest.raises(WrongState, match=f"run {run.pk} is ready; it becomes paused only from running"):
        moves.move(Run, run.pk, RunState.RUNNING, RunState.PAUSED)


def test_move_that_another_condition_stops_changes_nothing(make_run: Callable[..., Run]) -> None:
    run = make_run()
    with pytest.raises(WrongState, match="changed by another"):
        moves.move(Run, run.pk, RunState.READY, RunState.RUNNING, where={"name": "another"})
    run.refresh_from_db()
    assert run.state == RunState.READY


def test_move_of_what_is_not_there_is_a_wrong_state(db: None) -> None:
    with pytest.raises(WrongState, match="run 0 does not exist"):
        moves.move(Run, 0, RunState.READY, RunState.RUNNING)


def test_move_that_the_table_does_not_list_is_refused_whatever_the_rows(make_run: Callable[..., Run]) -> None:
    with pytest.raises(ValueError, match="no move of a Run leads from ready to completed"):
        moves.move(Run, make_run().pk, RunState.READY, RunState.COMPLETED)


def test_move_all_counts_what_it_moved(make_run: Callable[..., Run]) -> None:
    first, second = make_run(), make_run()
    moves.move(Run, first.pk, RunState.READY, RunState.RUNNING)
    assert moves.move_all(Run.objects.all(), (RunState.READY,), RunState.STOPPED) == 1
    assert Run.objects.get(pk=second.pk).state == RunState.STOPPED
