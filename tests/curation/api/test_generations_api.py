"""Requests and generations by REST, and the page of a run that waits for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from curation.models import AnswerFile, Engine, Event, ImportedAnswer, Run, User
from curation.stages import answer_files, registering, running
from curation.stages.errors import InputError, WrongState
from toolcalls.batches import named

pytestmark = pytest.mark.django_db


@pytest.fixture
def engine(db: None) -> Engine:
    return registering.register_engine("elsewhere", "imported")


@pytest.fixture
def run(make_run: Callable[..., Run], make_dataset: Callable[..., Any], settings: Any, tmp_path: Path) -> Run:
    """Waits for two attempts at each of two samples."""
    settings.UPLOADS_ROOT = tmp_path / "uploads"
    made = make_run(make_dataset(train=2, heldout=0), k=2)
    running.start_run(made)
    return made


def lines_of(response: Any) -> list[Any]:
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]


def output(custom_id: str, text: str = "[f()]") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    line = {"custom_id": custom_id, "response": {"status_code": 200, "body": {"choices": [choice]}}, "error": None}
    return json.dumps(line).encode() + b"\n"


def post(api: Any, run: Run, body: Any, query: str = "", **how: Any) -> Any:
    how.setdefault("content_type", "application/jsonl")
    return api.client.post(f"/api/v1/runs/{run.pk}/generations?file_name=out.jsonl{query}", body, headers=api.headers, **how)


def imported(api: Any, run: Run, sent: Any) -> Any:
    """What the file's address tells once its import, which the site begins in a process of its own, is over."""
    assert (sent.status_code, sent.json()["state"], sent.json()["report"]) == (202, "importing", None)
    with suppress(InputError, WrongState):
        answer_files.run(AnswerFile.objects.get(pk=sent.json()["id"]))
    return api.get(f"/runs/{run.pk}/generations/files/{sent.json()['id']}").json()


def test_requests_go_out_and_answers_come_in(by_token: Callable[..., Any], engineer: User, run: Run, tmp_path: Path) -> None:
    api = by_token(engineer, "run")
    asked = lines_of(api.get(f"/runs/{run.pk}/requests", {"turn": "direct", "model": "m"}))
    assert sorted(named(line["custom_id"])[:3] for line in asked) == [
        ("sample-0", 0, 0), ("sample-0", 0, 1), ("sample-1", 0, 0), ("sample-1", 0, 1),
    ]  # fmt: skip
    *most, last = (output(line["custom_id"]) for line in asked)
    first = imported(api, run, post(api, run, b"".join(most)))
    assert (first["state"], first["rows"], first["error"], first["file_name"]) == ("done", 3, "", "out.jsonl")
    assert first["report"] == {"taken": 3, "left_out": 0, "errors": [], "arrived": 3, "awaited": 4, "goes_on": False}
    waiting = api.get(f"/runs/{run.pk}/generations").json()
    assert (waiting["turn"], waiting["arrived"], waiting["awaited"], len(waiting["missing"])) == ("direct", 3, 4, 1)
    done = imported(api, run, post(api, run, last))
    assert (done["report"]["goes_on"], done["report"]["arrived"]) == (True, 4)
    assert post(api, run, last).status_code == 409
    assert [file["id"] for file in api.get(f"/runs/{run.pk}/generations/files").json()["items"]] == [done["id"], first["id"]]
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_form_s_file_is_taken_too(by_token: Callable[..., Any], engineer: User, run: Run) -> None:
    api = by_token(engineer)
    file = SimpleUploadedFile("result.json", b'{"id": "sample-0", "result": "[f()]"}\n')
    sent = api.client.post(f"/api/v1/runs/{run.pk}/generations?attempt=1&format=bfcl", {"file": file}, headers=api.headers)
    assert imported(api, run, sent)["report"]["taken"] == 1
    assert ImportedAnswer.objects.get().attempt == 1


def test_a_bad_line_is_told_and_nothing_is_kept(by_token: Callable[..., Any], engineer: User, run: Run) -> None:
    api = by_token(engineer)
    body = output("sample-0#direct.0") + output("<script>#direct.0")
    refused = imported(api, run, post(api, run, body))
    assert (refused["state"], refused["report"]) == ("failed", None)
    assert refused["error"].startswith("nothing was imported, a line cannot be used:\n")
    assert "line 2: sample '<script>' is not in this iteration's pool" in refused["error"]
    assert not ImportedAnswer.objects.exists()
    assert Event.objects.get(verb="generations.fail").after == {"file": "out.jsonl"}
    assert imported(api, run, post(api, run, body, "&skip_errors=true"))["report"]["left_out"] == 1
    assert api.post(f"/runs/{run.pk}/generations/close").json() == {"arrived": 1, "awaited": 4}


def test_an_empty_body_is_refused(by_token: Callable[..., Any], engineer: User, run: Run) -> None:
    assert post(by_token(engineer), run, b"").status_code == 422


@pytest.mark.parametrize("who", ["viewer", "reviewer"])
def test_only_engineers_import(by_token: Callable[..., Any], who: str, run: Run, request: pytest.FixtureRequest) -> None:
    api = by_token(request.getfixturevalue(who))
    assert post(api, run, output("sample-0#direct.0")).status_code == 403
    assert api.post(f"/runs/{run.pk}/generations/close").status_code == 403
    assert api.get(f"/runs/{run.pk}/requests", {"turn": "direct", "model": "m"}).status_code == 200


def test_pages_say_what_the_run_waits_for(client: Client, viewer: User, run: Run, by_token: Any, engineer: User) -> None:
    api = by_token(engineer)
    imported(api, run, post(api, run, output("sample-0#direct.0")))
    client.force_login(viewer)
    for address in (f"/runs/{run.pk}/", f"/runs/{run.pk}/live/", f"/runs/{run.pk}/iterations/1/"):
        page = client.get(address).content.decode()
        assert "Waits for generations of the direct turn: 1 of 4 attempts are here" in page, address
        assert "waits for generations" in page and "1 of 4 attempts are here" in page
    assert f'href="/api/v1/runs/{run.pk}/requests?turn=direct&amp;model=tiny"' in client.get(f"/runs/{run.pk}/").content.decode()
    assert "out.jsonl" in client.get(f"/runs/{run.pk}/events/").content.decode()


def test_the_first_page_tells_engineers_alone(client: Client, engineer: User, reviewer: User, run: Run) -> None:
    words = "waits for generations: 0 of 4 attempts are here"
    seen = {}
    for user in (engineer, reviewer):
        client.force_login(user)
        seen[user.name] = words in client.get("/").content.decode()
    assert seen == {"engineer": True, "reviewer": False}


def test_every_page_of_such_a_run_can_be_shown(client: Client, viewer: User, run: Run) -> None:
    client.force_login(viewer)
    places = ("", "events/", "exports/", "iterations/1/", "iterations/1/results/", "iterations/1/pool/", "iterations/1/pairs/")
    assert [place for place in places if client.get(f"/runs/{run.pk}/{place}").status_code != 200] == []
