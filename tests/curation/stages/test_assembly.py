"""Assembly as a worker does it: who enters, decisions that come meanwhile, and what a killed or late worker leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from curation.models import Decision, Iteration, Run, Sample, SampleVersion, Stage, TrainingRow, TrainingSet, User, Verdict
from curation.models.runs import RunState
from curation.stages import assembly, review, running, shards, training_file
from curation.stages.shards import Claim, LostLease
from toolcalls.assembly import training_set_hash

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

ALL = {("sample-0", "direct"), ("sample-1", "direct"), ("sample-0", "refine"), ("sample-1", "refine"), ("sample-2", "refine")}


@pytest.fixture
def claim(make_run: Callable[..., Run], hand: Any) -> Claim:
    """The assembly of iteration 1: two direct rows and three pairs."""
    running.start_run(make_run(max_iterations=1))
    hand.work_off(1 + 2 + 2)
    made: Claim = hand.claim()
    assert made.stage_kind == "assembly"
    return made


@pytest.fixture
def iteration(claim: Claim) -> Iteration:
    return Iteration.objects.select_related("run__project__team", "run__revision").get(pk=claim.iteration_id)


@pytest.fixture
def decide(iteration: Iteration, reviewer: User) -> Callable[..., Decision]:
    """`decide(3, "drop")`: on sample-3; `version` is the one that has the right truth."""

    def make(number: int, kind: str, version: SampleVersion | None = None) -> Decision:
        sample = Sample.objects.get(key=f"sample-{number}")
        made: Decision = Decision.objects.create(
            run=iteration.run, iteration=iteration, sample=sample, turn=0, kind=kind, version=version, by=reviewer
        )
        return made

    return make


def corrected(number: int) -> SampleVersion:
    old = SampleVersion.objects.get(sample__key=f"sample-{number}")
    made: SampleVersion = SampleVersion.objects.create(
        sample=old.sample, number=2, sha256="c" * 64, content=old.content, category=old.category, calls=old.calls
    )
    return made


def entered() -> set[tuple[str, str]]:
    return set(TrainingRow.objects.values_list("version__sample__key", "kind"))


def test_a_worker_freezes_list_and_file_and_ends_the_shard(claim: Claim, iteration: Iteration) -> None:
    assembly.store(claim)
    frozen = TrainingSet.objects.get()
    assert entered() == ALL
    assert training_set_hash(assembly.rows(frozen)) == frozen.sha256
    assert training_file.is_whole(frozen)
    assert list(TrainingRow.objects.order_by("position").values_list("position", flat=True)) == list(range(5))
    assert Stage.objects.get(iteration=iteration, kind="assembly").state == "done"
    assert Stage.objects.get(iteration=iteration, kind="assembly").total == 5
    assert not shards.renew(claim)


def test_a_decision_that_comes_while_the_rows_are_written_still_counts(
    claim: Claim, iteration: Iteration, reviewer: User
) -> None:
    looks: list[None] = []

    def meanwhile() -> None:
        if not looks:
            review.decide(iteration.run, iteration, Sample.objects.get(key="sample-0"), 0, "drop", reviewer)
        looks.append(None)

    assembly.store(claim, meanwhile)
    assert len(looks) == 2
    assert entered() == {row for row in ALL if row[0] != "sample-0"}
    assert [path.name for path in training_file.place_of(iteration).parent.iterdir()] == ["training-set.jsonl"]


@pytest.mark.parametrize("kind", ["fix", "keep"])
def test_a_corrected_truth_keeps_the_old_rows_out(claim: Claim, decide: Any, kind: str) -> None:
    decide(0, kind, corrected(0))
    assembly.store(claim)
    assert entered() == {row for row in ALL if row[0] != "sample-0"}


def test_the_corrected_truth_enters_once_it_was_sampled(claim: Claim, decide: Any) -> None:
    version = corrected(0)
    Verdict.objects.filter(sample=version.sample).update(version=version)
    decide(0, "fix", version)
    found = assembly.entering(Iteration.objects.select_related("run__revision").get(pk=claim.iteration_id))
    assert version.pk in found.direct.chosen
    assert not found.direct.forced


def test_a_kept_sample_that_was_not_sampled_enters_as_it_should_be(claim: Claim, iteration: Iteration, decide: Any) -> None:
    Verdict.objects.filter(sample__key__in=["sample-5", "sample-6"]).delete()
    decide(5, "keep")
    version = corrected(6)
    decide(6, "keep", version)
    frozen = assembly.store(claim)
    rows = TrainingRow.objects.filter(forced=True).values_list("version__sample__key", "version__number", "kind")
    assert set(rows) == {("sample-5", 1, "direct"), ("sample-6", 2, "direct")}
    assert (frozen.direct, frozen.refine) == (4, 3)


def test_a_late_worker_freezes_nothing(claim: Claim, iteration: Iteration, hand: Any) -> None:
    assert shards.release(claim)
    current = hand.claim()
    with pytest.raises(LostLease):
        assembly.store(claim)
    assert not TrainingSet.objects.exists()
    assert not list(training_file.place_of(iteration).parent.iterdir())
    assembly.store(current)
    assert TrainingSet.objects.exists()


def test_a_worker_that_is_to_stop_leaves_nothing(claim: Claim, iteration: Iteration) -> None:
    def stop() -> None:
        raise LostLease("paused")

    with pytest.raises(LostLease):
        assembly.store(claim, stop)
    assert not list(training_file.place_of(iteration).parent.iterdir())


def test_what_a_killed_worker_left_is_removed(claim: Claim, iteration: Iteration) -> None:
    place = training_file.place_of(iteration)
    place.parent.mkdir(parents=True)
    (place.parent / ".training-set.jsonl.0a1b2c3d.partial").write_text("half a")
    assembly.store(claim)
    assert [path.name for path in place.parent.iterdir()] == ["training-set.jsonl"]


def test_a_folder_that_cannot_be_written_fails_the_run_in_words(claim: Claim, iteration: Iteration, hand: Any) -> None:
    folder = training_file.place_of(iteration).parent
    folder.parent.mkdir(parents=True)
    folder.touch()
    hand.do(claim)
    run = Run.objects.get(pk=claim.run_id)
    assert run.state == RunState.FAILED
    assert "training-set.jsonl cannot be written" in run.why
    folder.unlink()
    running.retry_run(run)
    hand.work_off()
    assert Run.objects.get(pk=run.pk).state == RunState.COMPLETED
