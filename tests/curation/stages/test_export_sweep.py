"""Exports that nobody streams any more are ended once; those that are streamed are left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from django.utils import timezone

from curation.models import Event, Export, Iteration, Run
from curation.pages.event_names import names_of
from curation.pages.event_sentences import phrase
from curation.stages import export_blocks, export_sweep, exporting
from curation.stages.errors import WrongState
from curation.stages.reconciling import reconcile_once

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def export(make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> Export:
    """Of a pool of no rows; its stream says at every block that it is there."""
    monkeypatch.setattr(exporting, "BEAT", 0.0)
    return exporting.begin(Iteration.objects.create(run=make_run(), number=1), "pool")


@pytest.fixture
def _blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    def verdicts(*_: object) -> Iterator[bytes]:
        yield from (b"{}\n", b"{}\n", b"{}\n")

    monkeypatch.setattr(export_blocks, "verdicts", verdicts)


def fall_silent(export: Export, *, over: timedelta = timedelta(seconds=1)) -> None:
    Export.objects.filter(pk=export.pk).update(heard_at=timezone.now() - export_sweep.SILENCE - over)


def aborts(export: Export) -> list[Event]:
    return list(Event.objects.filter(verb="export.abort", subject_id=export.pk))


def test_an_export_whose_process_died_is_aborted_once(export: Export) -> None:
    fall_silent(export)
    reconcile_once(send=False)
    reconcile_once(send=False)
    export.refresh_from_db()
    assert (export.state, export.rows, export.manifest) == ("aborted", None, {})
    assert export.ended_at is not None
    assert [(event.run_id, event.actor, event.why) for event in aborts(export)] == [
        (export.iteration.run_id, None, "nothing was heard of it any more")
    ]
    (event,) = aborts(export)
    event.shown_before = event.before
    assert phrase(event, names_of([event])) == f"broke off export {export.pk}"


def test_an_export_that_was_heard_of_goes_on(export: Export) -> None:
    fall_silent(export, over=-timedelta(minutes=1))
    assert export_sweep.abort_silent() == 0
    export.refresh_from_db()
    assert export.state == "streaming"


def test_what_has_ended_is_left_alone(export: Export) -> None:
    list(exporting.stream(export))
    fall_silent(export)
    assert export_sweep.abort_silent() == 0
    export.refresh_from_db()
    assert export.state == "complete"


@pytest.mark.usefixtures("_blocks")
def test_a_stream_is_heard_of_while_it_is_read(export: Export) -> None:
    blocks = exporting.stream(export)
    fall_silent(export)
    next(blocks)
    assert export_sweep.abort_silent() == 0
    assert len(list(blocks)) == 2
    export.refresh_from_db()
    assert (export.state, export.rows) == ("complete", 3)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("beat", [0.0, 3600.0])
def test_a_reader_that_comes_back_to_an_export_that_was_given_up_is_told(
    export: Export, beat: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BEAT", beat)
    blocks = exporting.stream(export)
    next(blocks)
    fall_silent(export)
    assert export_sweep.abort_silent() == 1
    with pytest.raises(WrongState, match="was given up"):
        list(blocks)
    blocks.close()
    export.refresh_from_db()
    assert (export.state, export.rows) == ("aborted", None)
    assert len(aborts(export)) == 1


@pytest.mark.usefixtures("_blocks")
def test_closing_an_export_that_was_given_up_is_harmless(export: Export) -> None:
    blocks = exporting.stream(export)
    next(blocks)
    fall_silent(export)
    export_sweep.abort_silent()
    blocks.close()
    assert len(aborts(export)) == 1
