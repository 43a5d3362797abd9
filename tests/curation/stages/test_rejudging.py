"""Re-judging: stored attempts under other rules, beside the verdicts that stand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest

from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.models import ChangedVerdict, Event, Iteration, Rejudging, Run, User, Verdict
from curation.stages import children, rejudging, running
from curation.stages.errors import InputError, NotPermitted, WrongState
from toolcalls.answers import Call
from toolcalls.records import Sample
from toolcalls.rendering import render
from toolcalls.settings import Settings

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

NEAR, EXACT = 3, 2  # samples 0–2 are nearly right, 3 and 4 right, the rest wrong


def nearly(iteration: int, sample: Sample, turn: int, attempt: int) -> str:
    number = int(sample.id.removeprefix("sample-"))
    truth = sample.truth or ()
    if number < NEAR:
        return render([Call(call.name, {**call.arguments, "city": "Nowhere"}) for call in truth])
    return render(truth) if number < NEAR + EXACT else '[other_tool(x="1")]'


@pytest.fixture
def iteration(make_run: Callable[..., Run], make_hand: Callable[..., Any]) -> Iteration:
    run = make_run(max_iterations=1, review="required")
    running.start_run(run)
    make_hand(skill=nearly).work_off()
    return run.iterations.select_related("run__project__team").get(number=1)


def judged(iteration: Iteration, by: User | None = None, **rules: Any) -> Rejudging:
    made = rejudging.begin(iteration, rules, by, here=True)
    rejudging.run(made)
    return made


def rows_of(iteration: Iteration) -> list[tuple[Any, ...]]:
    return list(Verdict.objects.filter(iteration=iteration).order_by("pk").values_list())


def test_stricter_rules_lose_what_was_only_near(iteration: Iteration, reviewer: User) -> None:
    stood = rows_of(iteration)
    made = judged(iteration, reviewer, tolerance=0)
    assert made.state == "done"
    assert made.judged == made.total == len(stood)
    assert made.counts["0"] == {
        "approximate": {"param_mismatch": NEAR},
        "exact": {"exact": EXACT},
        "wrong_tool": {"wrong_tool": 8 - NEAR - EXACT},
    }
    assert rejudging.selected(made.counts, 0) == (NEAR + EXACT, EXACT)
    changed = ChangedVerdict.objects.filter(rejudging=made, turn=0).order_by("sample__key")
    assert [(row.sample.key, row.outcome_before, row.outcome, row.hits_before, row.hits) for row in changed] == [
        (f"sample-{number}", "approximate", "param_mismatch", 2, 0) for number in range(NEAR)
    ]
    assert rows_of(iteration) == stood  # nothing that was judged, selected or decided has changed
    event = Event.objects.get(verb="rejudging.complete")
    assert (event.actor, event.run_id, event.after["changed"]) == (reviewer, iteration.run_id, made.changed.count())


def test_the_rules_of_the_run_change_nothing(iteration: Iteration) -> None:
    made = judged(iteration)
    assert not made.changed.exists()
    assert made.rules == rejudging.rules_of(iteration.run.choices)
    assert made.comparator == Verdict.objects.filter(iteration=iteration).values_list("comparator", flat=True).first()


def test_every_option_of_the_comparator_is_a_rule_of_runs() -> None:
    """Or no run could be started with what a re-judging has shown to be better."""
    assert set(rejudging.rules_of(Settings())) == set(rejudging.RULES)


@pytest.mark.parametrize(
    ("rules", "words"),
    [({"k": 4}, "'k' is no rule of comparing"), ({"tolerance": -1}, "tolerance"), ({"tolerance": "one"}, "whole number")],
)
def test_what_is_no_rule_is_refused(iteration: Iteration, rules: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        rejudging.begin(iteration, rules, None)
    assert not Rejudging.objects.exists()


def test_one_at_a_time_and_one_that_died_does_not_bar_the_next(iteration: Iteration) -> None:
    first = rejudging.begin(iteration, {}, None, here=True)
    with pytest.raises(WrongState, match="already"):
        rejudging.begin(iteration, {}, None, here=True)
    Rejudging.objects.filter(pk=first.pk).update(seen_at=timezone.now() - timedelta(minutes=5))
    first.refresh_from_db()
    assert rejudging.standing(first) == ("failed", rejudging.INTERRUPTED)
    assert judged(iteration).state == "done"


def test_one_that_is_discarded_at_work_writes_nothing_more(iteration: Iteration, monkeypatch: Any) -> None:
    monkeypatch.setattr(rejudging, "BATCH", 2)
    made = rejudging.begin(iteration, {"tolerance": 0}, None, here=True)

    def discard(count: int) -> None:
        rejudging.discard(Rejudging.objects.get(pk=made.pk), None)

    with pytest.raises(WrongState, match="discarded"):
        rejudging.run(made, discard)
    assert Rejudging.objects.get(pk=made.pk).judged == 2
    assert not ChangedVerdict.objects.exists()


def test_what_failed_says_so(iteration: Iteration, monkeypatch: Any) -> None:
    made = rejudging.begin(iteration, {}, None, here=True)
    monkeypatch.setattr(rejudging, "_attempts", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rejudging.run(made)
    made.refresh_from_db()
    assert (made.state, made.error) == ("failed", "it failed for a reason of the server's; the operator's log says why")


def test_a_run_without_verdicts_and_a_viewer_are_refused(
    make_run: Callable[..., Run], iteration: Iteration, viewer: User
) -> None:
    with pytest.raises(NotPermitted):
        rejudging.begin(iteration, {}, viewer)
    Verdict.objects.filter(iteration=iteration).delete()
    with pytest.raises(WrongState, match="nothing"):
        rejudging.begin(iteration, {}, None)


def test_the_command_says_what_would_change(iteration: Iteration) -> None:
    out = StringIO()
    call_command("rejudge", run=iteration.run_id, iteration=1, rule=["tolerance=0"], number=iteration.run_id, stdout=out)
    assert f"direct: {NEAR + EXACT} selected, {EXACT} by these rules" in out.getvalue()
    with pytest.raises(CommandError, match="no iteration 7"):
        call_command("rejudge", number=iteration.run_id, iteration=7)


def test_the_page_begins_it_and_leads_to_what_moved(iteration: Iteration, reviewer: User, monkeypatch: Any) -> None:
    started: list[tuple[Any, ...]] = []
    monkeypatch.setattr(children, "start", lambda *work: started.append(work))
    client = Client()
    client.force_login(reviewer)
    address = reverse("rejudgings", args=[iteration.run_id, 1])
    assert b"Judge again" in client.get(address).content
    refused = client.post(address, {"tolerance": "x"})
    assert refused.status_code == 422
    assert b"tolerance" in refused.content
    form = {name: str(value).lower() for name, value in rejudging.rules_of(iteration.run.choices).items()}
    answer = client.post(address, {**form, "tolerance": "0"})
    made = Rejudging.objects.get()
    assert started == [("rejudge", made.pk, "rejudging.log")]
    assert b"0 of" in client.get(answer["Location"]).content
    rejudging.run(made)
    shown = client.get(answer["Location"]).content.decode()
    assert f"{NEAR + EXACT} → {EXACT} selected" in shown
    assert "Tolerance: 0" in shown
    moved = client.get(answer["Location"], {"turn": "0", "before": "approximate", "now": "param_mismatch"}).content.decode()
    assert moved.count("/pool/") == shown.count("/pool/") == NEAR + 1  # and the tab
    assert client.get(answer["Location"], {"turn": "0", "before": "approximate"}).status_code == 422
    assert client.post(f"{answer['Location']}discard/").status_code == 302
    assert client.get(answer["Location"]).status_code == 404


def test_the_api_lists_what_changed(iteration: Iteration, reviewer: User) -> None:
    made = judged(iteration, reviewer, tolerance=0)
    client = Client()
    client.force_login(reviewer)
    address = f"/api/v1/runs/{iteration.run_id}/iterations/1/rejudgings"
    (listed,) = client.get(address).json()["items"]
    assert (listed["id"], listed["state"], listed["rules"]["tolerance"]) == (made.pk, "done", 0)
    changed = client.get(f"{address}/{made.pk}/changed", {"turn": 0, "limit": 2}).json()
    assert [row["key"] for row in changed["items"]] == ["sample-0", "sample-1"]
    rest = client.get(f"{address}/{made.pk}/changed", {"turn": 0, "after": changed["next"]}).json()
    assert [row["outcome"] for row in rest["items"]] == ["param_mismatch"]
    assert client.delete(f"{address}/{made.pk}", headers={"X-CSRFToken": "x"}).status_code == 204
    assert client.get(address).json()["items"] == []
