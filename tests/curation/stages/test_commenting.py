from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from curation.models import Benchmark, Comment, Event, Run, Sample, User
from curation.stages import commenting
from curation.stages.errors import InputError, NotPermitted, WrongState

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def run(make_run: Callable[..., Run]) -> Run:
    return make_run()


@pytest.fixture
def comment(run: Run, reviewer: User) -> Callable[..., Comment]:
    """`comment("text", 3)`: on sample-3, by the reviewer."""

    def make(text: str, number: int = 0, by: User = reviewer) -> Comment:
        return commenting.comment(run, Sample.objects.get(key=f"sample-{number}"), text, by)

    return make


def test_a_comment_is_kept_as_written_and_its_event_does_not_repeat_it(comment: Callable[..., Comment], reviewer: User) -> None:
    made = comment(" is this\r\n<b>right</b>? ")
    assert (made.text, made.by, made.sample.key) == ("is this\n<b>right</b>?", reviewer, "sample-0")
    event = Event.objects.get(verb="comment.add")
    assert (event.subject_id, event.actor, event.after) == (made.pk, reviewer, {"sample": made.sample_id})


def test_a_held_out_sample_may_be_commented_on(comment: Callable[..., Comment]) -> None:
    assert comment("odd", 9).sample.split == "heldout"


@pytest.mark.parametrize("text", ["", " \n", "x" * 5001, "a\x00b", "\ud800"])
def test_a_comment_that_is_none_or_cannot_be_stored_is_refused(comment: Callable[..., Comment], text: str) -> None:
    with pytest.raises(InputError):
        comment(text)
    assert not Comment.objects.exists()


def test_an_item_of_a_benchmark_that_the_run_is_evaluated_on_may_be_commented_on(
    make_run: Callable[..., Run], import_one: Callable[..., Benchmark], made_benchmark: Callable[..., Any], reviewer: User
) -> None:
    run = make_run(benchmarks=[import_one(made_benchmark(2))])
    item = Sample.objects.get(key="simple_python_1")
    assert commenting.comment(run, item, "odd", reviewer).sample == item


def test_an_item_of_a_benchmark_that_is_not_the_runs_is_refused(
    run: Run, import_one: Callable[..., Benchmark], made_benchmark: Callable[..., Any], reviewer: User
) -> None:
    import_one(made_benchmark(1))
    with pytest.raises(InputError, match="is not one of run"):
        commenting.comment(run, Sample.objects.get(key="simple_python_0"), "odd", reviewer)


def test_a_sample_of_another_data_set_is_refused(run: Run, reviewer: User, make_dataset: Callable, make_sample: Callable) -> None:
    make_dataset([make_sample(40, id="other")], name="other")
    with pytest.raises(InputError, match="is not one of run"):
        commenting.comment(run, Sample.objects.get(key="other"), "?", reviewer)


@pytest.mark.parametrize("person", ["viewer", "outsider"])
def test_only_reviewers_comment(comment: Callable[..., Comment], person: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotPermitted):
        comment("?", by=request.getfixturevalue(person))


def test_a_deleted_comments_text_is_gone_and_its_place_stays(comment: Callable[..., Comment], reviewer: User) -> None:
    made = comment("wrong, sorry")
    commenting.delete_comment(made, reviewer)
    assert (made.text, made.deleted_at is None) == ("", False)
    assert Event.objects.get(verb="comment.delete").subject_id == made.pk
    with pytest.raises(WrongState, match="deleted already"):
        commenting.delete_comment(made, reviewer)


def test_its_writer_or_an_owner_deletes_a_comment(
    comment: Callable[..., Comment], engineer: User, owner: User, viewer: User
) -> None:
    made = comment("?")
    for other in (engineer, viewer):
        with pytest.raises(NotPermitted):
            commenting.delete_comment(made, other)
    commenting.delete_comment(made, owner)
    assert made.deleted_at is not None
