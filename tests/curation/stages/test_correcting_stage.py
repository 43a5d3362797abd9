"""Correcting: a new version of the truth, judged again, sampled and trained from the next iteration on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from django.db import connection, transaction

from curation.models import (
    Dataset,
    Decision,
    Event,
    Generation,
    Rejudgement,
    Run,
    Sample,
    SampleVersion,
    SampleWords,
    TrainingRow,
    User,
    Verdict,
)
from curation.stages import pool, review, running
from curation.stages.correcting import fix_truth
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.filtering import VerdictFilter, filter_from, matching
from toolcalls.rendering import render

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

SUMMER = [{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}]
WRITTEN = [{"name": "other_tool", "arguments": {"x": "1"}}]


@pytest.fixture
def fix(reviewed_run: Run, reviewer: User) -> Callable[..., Decision]:
    """`fix(3, truth)`: of sample-3 of the reviewed run, from its iteration 1."""

    def make(number: int, truth: Any, *, by: User = reviewer, text: str = "", why: str = "", iteration: int = 1) -> Decision:
        sample = Sample.objects.get(key=f"sample-{number}")
        return fix_truth(reviewed_run, reviewed_run.iterations.get(number=iteration), sample, truth, by, why, text=text)

    return make


def approve(run: Run, by: User) -> None:
    review.approve(run.iterations.get(state="open"), by)


def trained(run: Run, number: int) -> dict[tuple[str, str], int]:
    """(sample, kind) → number of the version that the iteration trained on."""
    rows = TrainingRow.objects.filter(training_set__iteration__run=run, training_set__iteration__number=number)
    return {(key, kind): version for key, kind, version in rows.values_list("version__sample__key", "kind", "version__number")}


def test_a_fix_is_a_new_version_that_says_the_rest_as_before(fix: Any, reviewer: User) -> None:
    made = fix(0, SUMMER, why="the question says Paris")
    old, new = SampleVersion.objects.filter(sample=made.sample).order_by("number")
    assert (made.kind, made.version, made.turn, new.number, new.created_by) == ("fix", new, 0, 2, reviewer)
    assert new.content == {**old.content, "truth": SUMMER, "truth_text": None}
    assert list(new.content) == list(old.content)
    assert (new.calls, new.category, new.language) == (1, old.category, old.language)
    assert new.sha256 != old.sha256
    event = Event.objects.get(verb="review.fix")
    assert (event, event.actor, event.why) == (made.made_by, reviewer, "the question says Paris")
    assert event.after["version"] == new.pk
    assert event.after["corrects"] == old.pk


def test_what_was_written_is_judged_again_by_the_new_truth(fix: Any, make_sample: Any, reviewed_run: Run) -> None:
    before = Verdict.objects.get(sample__key="sample-0", turn=0)
    made = fix(0, SUMMER)
    again = {row.turn: row for row in Rejudgement.objects.filter(version=made.version)}
    assert {turn: (row.attempts, row.exact_hits, row.approximate_hits) for turn, row in again.items()} == {
        0: (2, 0, 0),
        1: (2, 0, 0),
    }
    assert again[0].reasons == {"param_mismatch": 1, "wrong_tool": 1}
    assert render(make_sample(0).truth) in str(again[0].other_answer) or again[0].other_count == 1
    before.refresh_from_db()
    assert (before.approximate_hits, before.decision) == (1, "fix")
    near = fix(1, [{"name": "get_weather", "arguments": {"city": "Oslo", "days": 2}}])
    assert Rejudgement.objects.get(version=near.version, turn=0).approximate_hits == 1


def test_the_old_truth_is_not_trained_and_the_new_one_is_sampled_and_trained_next(
    fix: Any, reviewed_run: Run, engineer: User, hand: Any
) -> None:
    made = fix(0, SUMMER)
    approve(reviewed_run, engineer)
    hand.work_off()
    assert not {key for key, _ in trained(reviewed_run, 1)} & {"sample-0"}
    second = Verdict.objects.get(iteration__number=2, sample__key="sample-0", turn=0)
    assert (second.version, second.decision, second.approximate_hits) == (made.version, "fix", 1)
    written = Generation.objects.filter(iteration__number=2, version_id__in=made.sample.versions.values("pk"))
    assert set(written.values_list("version_id", flat=True)) == {made.version_id}
    approve(reviewed_run, engineer)
    hand.work_off()
    rows = trained(reviewed_run, 2)
    assert (rows["sample-0", "direct"], rows["sample-0", "refine"], rows["sample-1", "direct"]) == (2, 2, 1)


def test_the_new_version_is_found_by_its_words(fix: Any, reviewed_run: Run, engineer: User, hand: Any) -> None:
    made = fix(5, [{"name": "get_weather", "arguments": {"city": "Reykjavik", "days": 1}}])
    assert SampleWords.objects.filter(version=made.version).exists()
    approve(reviewed_run, engineer)
    hand.work_off()
    found = matching(reviewed_run.iterations.get(number=2), filter_from({"q": ["reykjavik"]}, 0))
    assert [verdict.version for verdict in found] == [made.version]


def test_an_undone_fix_leaves_the_old_truth_everywhere(
    fix: Any, reviewed_run: Run, reviewer: User, engineer: User, hand: Any
) -> None:
    made = fix(0, SUMMER)
    review.undo_event(made.made_by, reviewer)
    assert Verdict.objects.get(sample__key="sample-0", turn=0).decision == ""
    approve(reviewed_run, engineer)
    hand.work_off()
    assert trained(reviewed_run, 1)["sample-0", "direct"] == 1
    assert Verdict.objects.get(iteration__number=2, sample__key="sample-0", turn=0).version.number == 1


def test_what_was_sampled_by_a_fix_that_was_undone_since_is_not_trained(
    fix: Any, reviewed_run: Run, reviewer: User, engineer: User, hand: Any
) -> None:
    made = fix(0, SUMMER)
    approve(reviewed_run, engineer)
    hand.work_off()
    review.undo_event(made.made_by, reviewer)
    approve(reviewed_run, engineer)
    hand.work_off()
    assert "sample-0" not in {key for key, _ in trained(reviewed_run, 2)}


def test_a_correction_holds_on_under_later_decisions(
    fix: Any, decide: Any, reviewed_run: Run, reviewer: User, engineer: User, hand: Any
) -> None:
    made = fix(0, SUMMER)
    kept = decide(0, "keep")
    assert kept.version == made.version
    everything = review.decide_all(reviewed_run.iterations.get(number=1), VerdictFilter(0), "discuss", reviewer, expected=8)
    assert Decision.objects.standing().get(sample=made.sample).version == made.version
    review.undo_event(everything, reviewer)
    approve(reviewed_run, engineer)
    hand.work_off()
    assert ("sample-0", "direct") not in trained(reviewed_run, 1)
    assert Verdict.objects.get(iteration__number=2, sample__key="sample-0", turn=0).version == made.version
    review.undo_event(kept.made_by, reviewer)
    assert Decision.objects.standing().get(sample=made.sample) == made


def test_a_fix_of_a_fix_is_a_third_version_and_back_is_the_first(fix: Any, reviewed_run: Run) -> None:
    first = pool.current_version(reviewed_run, Sample.objects.get(key="sample-0"))
    fix(0, SUMMER)
    third = fix(0, [{"name": "get_weather", "arguments": {"city": "Rome", "days": 9}}])
    assert third.version.number == 3
    assert Event.objects.filter(verb="review.fix").latest("pk").after["corrects"] != first
    back = fix(0, [{"name": "get_weather", "arguments": {"city": "Rome", "days": 1}}])
    assert back.version.number == 4  # its text is ours now, no longer the source's
    assert fix(0, SUMMER).version.number == 2
    assert SampleVersion.objects.filter(sample=back.sample).count() == 4


def test_a_truth_may_become_one_that_calls_nothing(fix: Any) -> None:
    made = fix(0, None, text="No tool can do that.")
    assert (made.version.calls, made.version.category) == (None, "no_call")
    again = Rejudgement.objects.get(version=made.version, turn=0)
    assert (again.excluded, again.reasons) == (True, {"wrong_count": 2})


def test_a_sample_with_another_truth_does_not_count_as_selected(make_run: Callable[..., Run], hand: Any, reviewer: User) -> None:
    run = make_run(max_iterations=1)
    running.start_run(run)
    hand.work_off(1 + 2)
    iteration = run.iterations.get(number=1)
    fix_truth(run, iteration, Sample.objects.get(key="sample-0"), SUMMER, reviewer)
    hand.work_off()
    iteration.refresh_from_db()
    assert (iteration.selected_direct, iteration.selected_refine, iteration.pool) == (1, 2, 8)
    assert set(trained(run, 1)) == {("sample-1", "direct"), ("sample-1", "refine"), ("sample-2", "refine")}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


REFUSED: list[tuple[Any, str]] = [
    (WRITTEN, "unknown tool 'other_tool'"),
    ([{"name": "get_weather", "arguments": {"city": "Rome", "days": "two"}}], "days: a whole number is needed, not 'two'"),
    ([{"name": "get_weather", "arguments": {"town": 1}}], "no parameter 'town'; .* needs parameter 'city'; .*'days'"),
    ([{"name": "get_weather", "arguments": {"city": "Ro\x00me", "days": 1}}], "holds a NUL character"),
    ([{"name": "get_weather", "arguments": {"city": "\ud800", "days": 1}}], "half of a surrogate pair"),
    ([{"name": "get_weather", "arguments": {"city": "x" * 100_000, "days": 1}}], "write at most 100,000"),
    ([{"name": "get_weather", "arguments": {"city": "Rome", "days": float("nan")}}], "NaN is no JSON number"),
    ([{"name": "get_weather", "arguments": {"city": "Rome", "days": nested(100)}}], "nested more than 64 deep"),
    ([{"name": "get_weather", "arguments": {"city": "Rome", "days": nested(5000)}}], "nested"),
    ([{"name": "get_weather", "arguments": {"city": "Rome", "days": 1}}], "is the truth already"),
    ([{"name": 5}], "call 1: field 'name' must be a text"),
    ([5], "call 1: an object expected"),
    ([], "there is no call"),
    ([{"name": "get_weather"}] * 129, "at most 128 calls"),
    ({"name": "get_weather"}, "a truth is a list"),
    (None, "neither a call nor a text"),
]


def test_a_truth_that_cannot_be_is_refused_and_nothing_is_written(fix: Any) -> None:
    for truth, said in REFUSED:
        with pytest.raises(InputError, match=said):
            fix(0, truth)
    assert not Decision.objects.exists()
    assert SampleVersion.objects.filter(number__gt=1).count() == Rejudgement.objects.count() == 0


@pytest.mark.parametrize("person", ["viewer", "outsider"])
def test_only_reviewers_correct(fix: Any, person: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotPermitted):
        fix(0, SUMMER, by=request.getfixturevalue(person))


def test_what_is_held_out_or_over_is_not_corrected(fix: Any, decide: Any, reviewed_run: Run) -> None:
    with pytest.raises(InputError, match="held out, so nothing trains on it"):
        fix(9, SUMMER)
    with pytest.raises(InputError, match="held out, so nothing trains on it"):
        decide(9, "drop")
    running.stop_run(reviewed_run)
    with pytest.raises(WrongState, match="stopped"):
        fix(0, SUMMER)


def test_a_correction_does_not_wait_for_a_long_import(fix: Any, project: Any) -> None:
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Dataset.objects.select_for_update().get(project=project)
            locked.set()
            done.wait(20)
        connection.close()

    importing = threading.Thread(target=hold)
    importing.start()
    try:
        assert locked.wait(10)
        with pytest.raises(WrongState, match="an import into this data set is under way"):
            fix(0, SUMMER)
    finally:
        done.set()
        importing.join()
    assert fix(0, SUMMER).kind == "fix"
