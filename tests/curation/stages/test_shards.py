"""Shards: one worker at a time, nothing half-written, whoever dies or comes late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from django.db import DataError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation.models import Event, Generation, Iteration, RefinePair, Run, Sample, Shard, Stage, Verdict
from curation.models.shards import ShardState
from curation.stages import refinement, returning, running, sampling, shards
from curation.stages.jobs import WrongResults
from curation.stages.shards import Claim, LostLease

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def run(make_run: Callable[..., Run], hand: Any) -> Run:
    """A run whose iteration 1 waits to be sampled, in two shards."""
    made: Run = make_run(max_iterations=1)
    running.start_run(made)
    assert hand.work_off(1) == 1
    return made


def silent(seconds: float) -> None:
    """As if the last sign of life of every claim were `seconds` ago, of a server that has run for longer than the grace."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM now() - pg_postmaster_start_time())")
        time.sleep(max(0.0, shards.GRACE + 0.1 - float(cursor.fetchone()[0])))
    past = timezone.now() - timedelta(seconds=seconds)
    Shard.objects.filter(state=ShardState.LEASED).update(lease_until=past + timedelta(seconds=shards.LEASE))


def answered(hand: Any, claim: Claim) -> dict[int, Any]:
    return dict(hand.answers(claim, sampling.requests(claim), 0))


def test_each_shard_is_claimed_once_however_many_ask(run: Run) -> None:
    claims: list[Claim] = []
    begin = threading.Barrier(4)

    def ask(name: str) -> None:
        begin.wait()
        while claim := shards.claim_next(name):
            claims.append(claim)
        connection.close()

    threads = [threading.Thread(target=ask, args=(f"worker-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(claim.versions) for claim in claims) == [4, 4]
    assert len({claim.shard_id for claim in claims}) == 2
    assert {claim.attempt for claim in claims} == {1}


def test_a_claim_takes_only_the_kinds_and_the_shard_it_was_asked_for(run: Run) -> None:
    first, second = Shard.objects.filter(state=ShardState.PENDING)
    assert shards.claim_next("one", kinds=["training"]) is None
    claim = shards.claim_next("one", shard_id=second.pk)
    assert claim is not None
    assert claim.shard_id == second.pk
    assert shards.claim_next("one", shard_id=second.pk) is None
    taken = shards.claim_next("two", kinds=["sampling"])
    assert taken is not None
    assert taken.shard_id == first.pk


def test_a_late_writer_leaves_nothing_behind(run: Run, hand: Any) -> None:
    late = hand.claim()
    silent(shards.LEASE + 1)
    assert shards.return_dead_shards() == 1
    with pytest.raises(LostLease):
        sampling.store(late, answered(hand, late))
    assert not Generation.objects.exists()
    assert not Verdict.objects.exists()
    assert not shards.renew(late)
    current = hand.claim(shard_id=late.shard_id)
    assert current.attempt == 2
    with pytest.raises(LostLease):
        sampling.store(late, answered(hand, late))
    assert not shards.fail(late, "too late")
    assert not shards.release(late)
    assert shards.renew(current)
    hand.do(current)
    assert Generation.objects.count() == 4 * 2


def test_a_shard_that_is_not_the_last_of_its_stage_ends_without_the_lock_of_its_run(run: Run, hand: Any) -> None:
    locks = []
    for _ in range(2):
        claim = shards.claim_next("one")
        assert claim is not None
        answers = answered(hand, claim)
        with CaptureQueriesContext(connection) as asked:
            sampling.store(claim, answers)
        locks.append(sum("FOR NO KEY UPDATE" in query["sql"] and "curation_run" in query["sql"] for query in asked))
    assert locks[0] == 0 < locks[1]
    assert Stage.objects.get(kind="sampling").state == "done"


def test_results_that_come_twice_are_written_once(run: Run, hand: Any) -> None:
    claim = hand.claim()
    answers = answered(hand, claim)
    sampling.store(claim, answers)
    before = list(Generation.objects.order_by("version_id", "attempt").values())
    with pytest.raises(LostLease):
        sampling.store(claim, answers)
    assert list(Generation.objects.order_by("version_id", "attempt").values()) == before
    assert Verdict.objects.count() == 4


def test_two_writers_of_one_shard_at_once_write_it_once(run: Run, hand: Any) -> None:
    claim = hand.claim()
    answers, lost, begin = answered(hand, claim), [], threading.Barrier(2)

    def write() -> None:
        begin.wait()
        try:
            sampling.store(claim, answers)
        except LostLease as error:
            lost.append(error)
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lost) == 1
    assert Generation.objects.count() == 4 * 2


def test_a_failure_in_the_middle_of_storing_undoes_all_of_it(run: Run, hand: Any) -> None:
    claim = hand.claim()
    with pytest.raises(DataError), shards.fence(claim), connection.cursor() as cursor:
        Verdict.objects.create(iteration_id=claim.iteration_id, version_id=claim.versions[0], turn=0, attempts=0, exact_hits=0,
                               approximate_hits=0, comparator="x", outcome="exact", sample=Sample.objects.first())  # fmt: skip
        cursor.execute("SELECT 1 / 0")
    assert not Verdict.objects.exists()
    assert Shard.objects.get(pk=claim.shard_id).state == ShardState.LEASED
    hand.do(claim)


@pytest.mark.parametrize("fault", ["missing", "more", "seed", "short"])
def test_answers_that_were_not_asked_for_are_refused(run: Run, hand: Any, fault: str) -> None:
    claim = hand.claim()
    answers = answered(hand, claim)
    first, second = list(answers)[:2]
    if fault == "missing":
        del answers[first]
    elif fault == "more":
        answers[10**6] = answers[first]
    elif fault == "seed":
        answers[first] = answers[second]
    else:
        answers[first] = answers[first][:1]
    with pytest.raises(WrongResults):
        sampling.store(claim, answers)
    assert not Generation.objects.exists()
    assert shards.renew(claim)


def test_a_shard_is_dead_when_its_lease_is_over_whoever_holds_the_lock(run: Run, hand: Any) -> None:
    claim = hand.claim()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [shards.LOCK_SPACE, claim.shard_id])
        silent(shards.GRACE + 1)
        assert shards.return_dead_shards() == 0
        silent(shards.LEASE + 1)
        assert shards.return_dead_shards() == 1
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [shards.LOCK_SPACE, claim.shard_id])
    event = Event.objects.get(verb="shard.return")
    assert (event.subject_id, event.run_id, event.why) == (claim.shard_id, run.pk, "the lease was over")


def test_a_shard_is_dead_when_nobody_holds_its_lock_after_the_grace(run: Run, hand: Any) -> None:
    claim = hand.claim()
    silent(shards.GRACE - 2)
    assert shards.return_dead_shards() == 0
    silent(shards.GRACE + 1)
    assert shards.return_dead_shards() == 1
    assert Event.objects.get(verb="shard.return").before == {"attempt": 1, "owner": "hand"}
    assert hand.claim(shard_id=claim.shard_id).attempt == 2


def test_a_shard_that_was_renewed_after_it_seemed_dead_is_left_alone(run: Run, hand: Any) -> None:
    claim = hand.claim()
    silent(shards.GRACE + 1)
    (seen,) = returning.dead_shards()
    assert shards.renew(claim)
    assert returning._return(seen) == 0
    assert Shard.objects.get(pk=claim.shard_id).state == ShardState.LEASED


def test_a_shard_that_kills_its_workers_fails_in_words(run: Run, hand: Any) -> None:
    claim = hand.claim()
    Shard.objects.filter(pk=claim.shard_id).update(deaths=returning.MOST_DEATHS - 1)
    silent(shards.LEASE + 1)
    assert shards.return_dead_shards() == 1
    run.refresh_from_db()
    assert run.state == "failed"
    assert "was worked on 20 times by a worker that died" in run.why
    running.retry_run(run)
    assert Shard.objects.get(pk=claim.shard_id).deaths == 0
    assert hand.claim(shard_id=claim.shard_id).attempt == 2


def test_pauses_and_releases_do_not_count_as_deaths(run: Run, hand: Any) -> None:
    for _ in range(returning.MOST_DEATHS + 1):
        shards.release(claim := hand.claim())
    hand.claim(shard_id=claim.shard_id)
    silent(shards.LEASE + 1)
    assert shards.return_dead_shards() == 1
    shard = Shard.objects.get(pk=claim.shard_id)
    assert (shard.state, shard.attempt, shard.deaths) == (ShardState.PENDING, returning.MOST_DEATHS + 2, 1)


def test_a_lock_of_one_long_key_is_not_a_shards_lock(run: Run, hand: Any) -> None:
    claim = hand.claim()
    with connection.cursor() as cursor:  # one key of 64 bits, not two of 32
        cursor.execute("SELECT pg_advisory_lock(%s)", [(shards.LOCK_SPACE << 32) + claim.shard_id])
        silent(shards.GRACE + 1)
        assert shards.return_dead_shards() == 1
        cursor.execute("SELECT pg_advisory_unlock_all()")


def test_a_pause_ends_the_work_and_lets_what_is_done_stay(run: Run, hand: Any) -> None:
    done, given_back = hand.claim(), hand.claim()
    running.pause_run(run)
    assert not shards.renew(given_back)
    assert shards.release(given_back)
    hand.do(done)
    assert shards.claim_next("other") is None
    assert Generation.objects.count() == 8
    running.resume_run(run)
    assert hand.claim().shard_id == given_back.shard_id


def test_a_stop_ends_the_work_and_keeps_late_results_out(run: Run, hand: Any) -> None:
    claim = hand.claim()
    running.stop_run(run, why="wrong data")
    assert not shards.renew(claim)
    with pytest.raises(LostLease):
        sampling.store(claim, answered(hand, claim))
    assert not Generation.objects.exists()
    assert set(Stage.objects.filter(iteration__number=1).values_list("state", flat=True)) == {"cancelled"}


def test_a_failed_attempt_counts_and_keeps_its_error(run: Run, hand: Any) -> None:
    claim = hand.claim()
    assert shards.fail(claim, "engine died \x00" + "x" * 9000)
    shard = Shard.objects.get(pk=claim.shard_id)
    assert (shard.state, shard.failures, shard.owner) == (ShardState.PENDING, 1, "")
    assert shard.error.startswith("engine died \ufffd")
    assert len(shard.error) == shards.ERROR_LENGTH


def test_seeds_and_prompts_do_not_depend_on_how_the_stage_is_cut(
    make_run: Callable[..., Run], make_dataset: Callable[..., Any], make_hand: Callable[..., Any]
) -> None:
    revision, asked = make_dataset(), []
    for size in (2, 5, 64):
        hand, found = make_hand(), {}
        running.start_run(make_run(revision, shard_samples=size, max_iterations=1))
        while (claim := shards.claim_next("hand")) is not None:
            if claim.stage_kind in ("sampling", "refinement"):
                stage = sampling if claim.stage_kind == "sampling" else refinement
                found |= {(claim.stage_kind, request.id): (request.seeds, request.messages) for request in stage.requests(claim)}
            hand.do(claim)
        asked.append(found)
    assert asked[0] == asked[1] == asked[2]
    assert len(asked[0]) == 16
    assert len({seed for seeds, _ in asked[0].values() for seed in seeds}) == 16 * 2


def test_the_longest_samples_come_first(
    make_run: Callable[..., Run], make_dataset: Callable[..., Any], make_sample: Callable[..., Any], hand: Any
) -> None:
    padded = [make_sample(number, other="x" * length) for number, length in enumerate((5, 900, 50, 400))]
    running.start_run(make_run(make_dataset([*padded, make_sample(9, split="heldout")]), shard_samples=2))
    hand.work_off(1)
    contents = [shard.versions for shard in Shard.objects.filter(stage__kind="sampling")]
    names = dict(Iteration.objects.get(number=1).run.revision.entries.values_list("version_id", "version__sample__key"))
    assert [[names[number] for number in versions] for versions in contents] == [
        ["sample-1", "sample-3"],
        ["sample-2", "sample-0"],
    ]


def test_the_work_of_many_workers_is_the_same_as_of_one(make_run: Callable[..., Run], make_hand: Callable[..., Any]) -> None:
    running.start_run(make_run(max_iterations=1, shard_samples=1))
    errors: list[BaseException] = []

    def work(name: str) -> None:
        hand, idle = make_hand(owner=name), 0
        try:
            while idle < 40:
                idle = 0 if hand.work_off() else idle + 1
                threading.Event().wait(0.05)
        except BaseException as error:
            errors.append(error)
        connection.close()

    threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert Run.objects.get().state == "completed"
    assert (Generation.objects.count(), RefinePair.objects.count()) == (32, 8)
    assert not Shard.objects.exclude(state=ShardState.DONE).exists()
    assert not Shard.objects.exclude(attempt=F("attempt") * 0 + 1).exists()
