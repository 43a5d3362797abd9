"""Migrations on a database that holds data: a run as the first release stored it, brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from curation.models import Decision, Generation, Run, Sample, SampleWords, User, Verdict
from curation.stages import review, running
from curation.stages.filtering import VerdictFilter, count_of
from toolcalls.answers import Call

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

FIRST = [("curation", "0001_the_record")]
FILLED = ("pk", "sample_id", "outcome", "tools", "decision", "change")


def go_back() -> None:
    """To what the first release had: its columns, and the rows without the others."""
    MigrationExecutor(connection).migrate(FIRST)


def go_on() -> None:
    call_command("migrate", "curation", verbosity=0)


@pytest.fixture(autouse=True)
def _up_to_date() -> Iterator[None]:
    """Whatever becomes of a test, the next one finds the tables as they are now."""
    yield
    go_on()


def filled() -> list[tuple[Any, ...]]:
    return list(Verdict.objects.order_by("pk").values_list(*FILLED))


def words() -> list[tuple[int, str]]:
    return list(SampleWords.objects.order_by("pk").extra(select={"text": "words::text"}).values_list("pk", "text"))


@pytest.fixture
def old_run(make_run: Any, make_dataset: Any, make_sample: Any, make_hand: Any, reviewer: User) -> Run:
    """Hits of both kinds and none, a truth that calls nothing, one that calls a tool twice, decisions in both turns."""
    two = (Call("get_weather", {"city": "Oslo", "days": 1}), Call("get_weather", {"city": "Rome", "days": 2}))
    samples = [make_sample(number) for number in range(6)]
    samples += [make_sample(6, truth=two), make_sample(7, truth=None), make_sample(8, split="heldout")]
    run: Run = make_run(make_dataset(samples), max_iterations=1, review="required", first_answer="greedy")
    hand = make_hand(skill=_skill)
    running.start_run(run)
    hand.work_off()
    iteration = run.iterations.get(number=1)
    for key, turn, kind in (("sample-0", 0, "drop"), ("sample-1", 0, "discuss"), ("sample-1", 1, "keep")):
        review.decide(run, iteration, Sample.objects.get(key=key), turn, kind, reviewer)
    review.undo_event(review.decide(run, iteration, Sample.objects.get(key="sample-2"), 0, "drop", reviewer).made_by, reviewer)
    return run


def _skill(iteration: int, sample: Any, turn: int, attempt: int) -> str:
    number = int(sample.id.removeprefix("sample-"))
    city = sample.messages[0].content.split()[5]
    right = '[get_weather(city="Oslo", days=1), get_weather(city="Rome", days=2)]' if number == 6 else ""
    near = f'[get_weather(city="{city}", days=9)]'
    return (right or f'[get_weather(city="{city}", days=1)]', near, "I cannot say.")[number % 3]


def test_what_the_first_release_stored_is_filled_in_as_the_stages_fill_it(old_run: Run) -> None:
    before, found_by = filled(), words()
    assert {row[2] for row in before} >= {"exact", "approximate", "not_a_call", "excluded"}
    assert {row[4] for row in before} == {"", "drop", "discuss", "keep"}
    assert {row[5] for row in before} == {"", "stop", "small", "large"}
    assert ["get_weather"] in [row[3] for row in before] and [] in [row[3] for row in before]
    Generation.objects.filter(turn=0, attempt=0).update(max_param_diff=3)  # A₁ is the greedy answer, not this one
    go_back()
    go_on()
    assert filled() == before
    assert words() == found_by


def test_people_go_on_where_the_first_release_ended(old_run: Run, reviewer: User) -> None:
    go_back()
    go_on()
    run = Run.objects.get(pk=old_run.pk)
    iteration = run.iterations.get(number=1)
    made = review.decide(run, iteration, Sample.objects.get(key="sample-0"), 0, "keep", reviewer)
    assert count_of(iteration, VerdictFilter(0, decision=("drop",))) == 0
    review.undo_event(made.made_by, reviewer)
    assert count_of(iteration, VerdictFilter(0, decision=("drop",))) == 1
    assert Decision.objects.standing().filter(made_by=None, kind="drop").count() == 1
    assert count_of(iteration, VerdictFilter(0, q="Oslo")) == 2


def test_an_assembly_that_failed_before_there_were_shards_of_it_is_tried_again(
    reviewed_run: Run, reviewer: User, hand: Any
) -> None:
    iteration = reviewed_run.iterations.get(number=1)
    for turn in (0, 1):
        review.decide_all(iteration, VerdictFilter(turn), "drop", reviewer, expected=8)
    review.approve(iteration, None)
    hand.work_off()
    assert iteration.stages.get(kind="assembly").state == "failed"
    iteration.stages.get(kind="assembly").shards.all().delete()
    go_back()
    go_on()
    for turn in (0, 1):
        review.decide_all(iteration, VerdictFilter(turn), "keep", reviewer, expected=8)
    running.retry_run(Run.objects.get(pk=reviewed_run.pk))
    hand.work_off()
    assert iteration.training_set.direct == 8


def test_an_empty_database_is_brought_up_to_date() -> None:
    go_back()
    go_on()
    assert not Verdict.objects.exists()
    call_command("makemigrations", "curation", check=True, dry_run=True, verbosity=0)
