"""What pages post: the answer for htmx and without it, and who may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Comment, Decision, Event, Run, Sample, User

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

HTMX = {"HX-Request": "true"}
TRUTH = [{"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}]


@pytest.fixture
def client(client: Client, reviewer: User) -> Client:
    client.force_login(reviewer)
    return client


def sample(number: int) -> Sample:
    return Sample.objects.get(key=f"sample-{number}")


def here(run: Run, name: str) -> str:
    return reverse(name, args=[run.pk, 1])


def heard(response: Any) -> dict[str, Any]:
    """What the answer makes happen on the page."""
    assert response.status_code == 204
    return dict(json.loads(response.headers["HX-Trigger"]))


def test_a_decision_says_how_it_is_undone_and_the_undo_what_stands(client: Client, reviewed_run: Run) -> None:
    form = {"sample": sample(0).pk, "turn": 0, "kind": "drop", "why": "no"}
    said = heard(client.post(here(reviewed_run, "decide"), form, headers=HTMX))
    made = Decision.objects.get()
    assert (made.kind, made.why) == ("drop", "no")
    assert said["decided"] == {"sample": sample(0).pk, "turn": 0, "kind": "drop"}
    assert said["toast"]["text"] == "sample-0: dropped"
    undone = heard(client.post(said["toast"]["undo"], headers=HTMX))
    assert undone["toast"] == {"text": "1 decision undone", "kind": "ok", "undo": ""}
    assert (undone["undone"]["sample"], undone["undone"]["kind"]) == (sample(0).pk, "")
    assert not Decision.objects.standing().exists()


def test_all_that_a_filter_finds_is_decided_on(client: Client, reviewed_run: Run) -> None:
    form = {"turn": 0, "kind": "keep", "expected": 6, "hits": "0", "q": "", "order": "-hits"}
    said = heard(client.post(here(reviewed_run, "decide_all"), form, headers=HTMX))
    assert said["toast"]["text"] == "6 samples: kept"
    assert said["decided"] == {"turn": 0, "kind": "keep", "count": 6}
    heard(client.post(here(reviewed_run, "decide"), {"sample": sample(7).pk, "turn": 0, "kind": "drop"}, headers=HTMX))
    undone = heard(client.post(said["toast"]["undo"], headers=HTMX))
    assert undone["toast"]["text"] == "5 decisions undone; 1 were decided otherwise since and stay"


def test_a_corrected_truth_is_posted_as_json_or_as_a_text(client: Client, reviewed_run: Run) -> None:
    said = heard(client.post(here(reviewed_run, "fix"), {"sample": sample(0).pk, "truth": json.dumps(TRUTH)}, headers=HTMX))
    assert said["decided"] == {"sample": sample(0).pk, "turn": 0, "kind": "fix"}
    assert Decision.objects.get().version.content["truth"] == TRUTH
    heard(client.post(here(reviewed_run, "fix"), {"sample": sample(1).pk, "truth": "", "text": "No."}, headers=HTMX))
    assert Decision.objects.latest("pk").version.content["truth_text"] == "No."


def test_comments_are_added_and_deleted(client: Client, reviewed_run: Run) -> None:
    form = {"sample": sample(9).pk, "text": "odd"}
    said = heard(client.post(reverse("comment_new", args=[reviewed_run.pk]), form, headers=HTMX))
    made = Comment.objects.get()
    assert said["commented"] == {"sample": sample(9).pk, "comment": made.pk}
    heard(client.post(reverse("comment_delete", args=[reviewed_run.pk, made.pk]), headers=HTMX))
    made.refresh_from_db()
    assert made.text == ""


@pytest.mark.parametrize(
    ("given", "lands"),
    [
        ({"next": "/account/"}, "/account/"),
        ({"next": "https://evil.example/"}, None),
        ({"next": "//evil.example/"}, None),
        ({}, None),
    ],
)
def test_without_htmx_one_lands_on_the_page_that_one_came_from(
    client: Client, reviewed_run: Run, given: dict[str, str], lands: str | None
) -> None:
    form = {"sample": sample(0).pk, "turn": 0, "kind": "drop", **given}
    response = client.post(here(reviewed_run, "decide"), form)
    assert (response.status_code, response.url) == (302, lands or reverse("run", args=[reviewed_run.pk]))
    back = client.post(here(reviewed_run, "decide"), {**form, "next": ""}, headers={"Referer": "http://testserver/account/?x=1"})
    assert back.url == "http://testserver/account/?x=1"


NESTED = '[{"name": "get_weather", "arguments": {"city": %s, "days": 1}}]' % ("[" * 600 + "]" * 600)  # json reads that much
REFUSED: list[tuple[str, dict[str, str], int]] = [
    ("decide", {"sample": "1; DROP", "turn": "0", "kind": "drop"}, 422),
    ("decide", {"sample": "0", "turn": "0", "kind": "drop"}, 404),
    ("decide", {"sample": "9" * 18, "turn": "0", "kind": "drop"}, 404),
    ("decide", {"sample": "", "turn": "0", "kind": "drop"}, 422),
    ("decide", {"turn": "7", "kind": "drop"}, 422),
    ("decide", {"turn": "0", "kind": "burn"}, 422),
    ("decide", {"turn": "0", "kind": "drop", "why": "x" * 2001}, 422),
    ("decide", {"turn": "0", "kind": "drop", "why": "a\x00b"}, 422),
    ("decide_all", {"turn": "0", "kind": "drop", "expected": "7"}, 409),
    ("decide_all", {"turn": "0", "kind": "drop", "expected": "all"}, 422),
    ("decide_all", {"turn": "0", "kind": "drop", "expected": "8", "sample__key": "x"}, 422),
    ("decide_all", {"turn": "0", "kind": "drop", "expected": "8", "outcome": "fine"}, 422),
    ("fix", {"truth": "[{"}, 422),
    ("fix", {"truth": "[" * 100_000}, 422),
    ("fix", {"truth": "9" * 5000}, 422),
    ("fix", {"truth": NESTED}, 422),
    ("fix", {"truth": '[{"name": "get_weather", "arguments": {"city": 5, "days": 1}}]'}, 422),
    ("fix", {"truth": '"text"'}, 422),
    ("fix", {}, 422),
]


def test_a_form_that_cannot_be_meant_is_refused_and_changes_nothing(client: Client, reviewed_run: Run) -> None:
    for name, form, status in REFUSED:
        complete = {"sample": str(sample(0).pk), **form} if name != "decide_all" else form
        response = client.post(here(reviewed_run, name), complete, headers=HTMX)
        assert response.status_code == status, (name, form)
        if status != 404:
            assert json.loads(response.headers["HX-Trigger"])["toast"]["kind"] == "error"
    assert not Decision.objects.exists()


def test_a_refusal_fits_into_a_header_however_much_is_wrong(client: Client, reviewed_run: Run) -> None:
    call = {"name": "get_weather", "arguments": {f"wrong-{number}": "" for number in range(200)}}
    form = {"sample": str(sample(0).pk), "truth": json.dumps([call] * 10)}
    response = client.post(here(reviewed_run, "fix"), form, headers=HTMX)
    said = json.loads(response.headers["HX-Trigger"])["toast"]["text"]
    assert response.status_code == 422
    assert said.startswith("the truth cannot be this: call 1, ") and said.endswith("…")
    assert len(response.headers["HX-Trigger"]) < 4096  # what proxies take of all headers


def test_an_operation_of_another_run_is_not_undone_here(client: Client, reviewed_run: Run, make_run: Any) -> None:
    other = make_run(reviewed_run.revision)
    event = Event.objects.filter(run_id=other.pk).latest("pk")
    assert client.post(reverse("undo", args=[reviewed_run.pk, event.pk]), headers=HTMX).status_code == 404
    assert client.post(reverse("undo", args=[other.pk, event.pk]), headers=HTMX).status_code == 422  # it decided nothing
    assert client.post(reverse("undo", args=[other.pk, 10**18]), headers=HTMX).status_code == 404


@pytest.mark.parametrize(("person", "status"), [("viewer", 403), ("outsider", 404), ("engineer", 204), ("owner", 204)])
def test_who_may_post(client: Client, reviewed_run: Run, decide: Any, person: str, status: int, request: Any) -> None:
    made = decide(0, "discuss")
    client.force_login(request.getfixturevalue(person))
    for name, form in (
        ("decide", {"turn": 0, "kind": "drop"}),
        ("decide_all", {"turn": 0, "kind": "keep", "expected": 8}),
        ("fix", {"truth": json.dumps(TRUTH)}),
    ):
        given = {**form} if name == "decide_all" else {"sample": sample(1).pk, **form}
        assert client.post(here(reviewed_run, name), given, headers=HTMX).status_code == status
    text = {"sample": sample(1).pk, "text": "?"}
    assert client.post(reverse("comment_new", args=[reviewed_run.pk]), text, headers=HTMX).status_code == status
    undo = reverse("undo", args=[reviewed_run.pk, made.made_by_id])
    replaced = 409 if status == 204 else status  # by the keep of all
    assert client.post(undo, headers=HTMX).status_code == replaced
    assert client.get(undo).status_code == 405


def test_one_who_is_not_signed_in_is_sent_to_do_so(reviewed_run: Run) -> None:
    for name in ("decide", "decide_all", "fix"):
        response = Client().post(here(reviewed_run, name), {})
        assert (response.status_code, response.url.partition("?")[0]) == (302, reverse("sign_in"))
