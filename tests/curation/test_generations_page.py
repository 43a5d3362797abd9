"""The form for answers from elsewhere on a run's page: who may send, what becomes of files, and what their page says."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.models import AnswerFile, Engine, ImportedAnswer, Run, User
from curation.stages import answer_files, registering, running
from curation.stages.answer_files import AnswerOptions
from curation.stages.errors import InputError, WrongState

pytestmark = pytest.mark.django_db

GOOD = b'{"id": "sample-0", "result": "[f()]"}\n'
BAD = b'{"id": "<b>nobody</b>", "result": "[f()]"}\n'


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


@pytest.fixture
def stored(run: Run, settings: Any) -> Callable[[], int]:
    """How many files lie on the disk."""
    return lambda: len(list(Path(settings.UPLOADS_ROOT).glob("*")))


def send(client: Client, run: Run, content: bytes | None, **form: str) -> Any:
    files = {} if content is None else {"file": SimpleUploadedFile("out.jsonl", content)}
    return client.post(reverse("run_generations", args=[run.pk]), {**form, **files})


def shown(client: Client, run: Run) -> str:
    return client.get(reverse("run_generations", args=[run.pk])).content.decode()


def let_import() -> None:
    """What the site's children do."""
    for file in AnswerFile.objects.filter(state="importing").order_by("pk"):
        with suppress(InputError, WrongState):
            answer_files.run(file)


def test_a_file_is_sent_read_and_told_of(client: Client, run: Run, engineer: User, stored: Any) -> None:
    client.force_login(engineer)
    sent = send(client, run, GOOD, attempt="1")
    assert (sent.status_code, sent["Location"], stored()) == (302, f"/runs/{run.pk}/generations/", 1)
    page = shown(client, run)
    assert "0 lines read. It goes on when you leave this page." in page and "every 1s" in page
    let_import()
    page = shown(client, run)
    assert "1 answer imported." in page and "1 of 4 attempts are here" in page and "every 1s" not in page
    assert "sample-1</span> has 0 of 2" in page
    assert (ImportedAnswer.objects.get().attempt, stored()) == (1, 0)


def test_refused_lines_are_shown_with_their_reasons(
    client: Client, run: Run, engineer: User, django_capture_on_commit_callbacks: Any, stored: Any
) -> None:
    client.force_login(engineer)
    send(client, run, GOOD + BAD)
    with django_capture_on_commit_callbacks(execute=True):
        let_import()
    page = shown(client, run)
    assert (
        "refused" in page and "line 2: sample &#x27;&lt;b&gt;nobody&lt;/b&gt;&#x27; is not in this iteration&#x27;s pool" in page
    )
    assert "--skip-errors" not in page and "<b>nobody" not in page
    assert (ImportedAnswer.objects.count(), stored()) == (0, 0)
    send(client, run, GOOD + BAD, skip_errors="on")
    let_import()
    page = shown(client, run)
    assert "1 answer imported, 1 line left out." in page and "Why lines were left out" in page


def test_files_that_say_that_this_is_all_let_the_run_go_on(client: Client, run: Run, engineer: User) -> None:
    client.force_login(engineer)
    send(client, run, GOOD, allow_missing="on")
    let_import()
    assert "waits for no generations" in shown(client, run)
    assert client.post(reverse("run_generations", args=[run.pk])).status_code == 409


def test_nothing_more_comes(client: Client, run: Run, engineer: User, viewer: User) -> None:
    client.force_login(engineer)
    send(client, run, GOOD)
    let_import()
    address = reverse("run_generations_close", args=[run.pk])
    assert "Nothing more comes" in shown(client, run)
    assert client.post(address)["Location"] == f"/runs/{run.pk}/"
    client.force_login(viewer)
    assert "Nothing more comes" not in shown(client, run)
    assert client.post(address).status_code == 403


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [
        (None, {}, "choose a file to send"),
        (b"", {}, "the file is empty"),
        (GOOD, {"attempt": "-1"}, "a whole number expected"),
        (GOOD, {"attempt": "2000"}, "from 0 to 1023"),
        (GOOD, {"format": "<x>"}, "unknown format &#x27;&lt;x&gt;&#x27;"),
    ],
)
def test_what_cannot_be_sent_is_said_at_once_and_nothing_is_kept(
    client: Client, run: Run, engineer: User, stored: Any, content: bytes | None, form: dict[str, str], words: str
) -> None:
    client.force_login(engineer)
    answer = send(client, run, content, start_over="on", **form)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert (AnswerFile.objects.count(), stored()) == (0, 0)


def test_viewers_see_how_it_stands_and_cannot_send(client: Client, run: Run, viewer: User) -> None:
    client.force_login(viewer)
    assert "Ask one of them" in shown(client, run) and '<form method="post" action="/runs/' not in shown(client, run)
    assert send(client, run, GOOD).status_code == 403
    assert not AnswerFile.objects.exists()


def test_the_run_s_page_takes_the_panel_in(client: Client, run: Run, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(reverse("run", args=[run.pk])).content.decode()
    assert f'hx-get="/runs/{run.pk}/generations/" hx-trigger="load"' in page and "Import answers" in page
    panel = client.get(reverse("run_generations", args=[run.pk]), headers={"HX-Request": "true"}).content.decode()
    assert panel.startswith('<section id="generations"')


def test_an_import_that_died_is_told_and_its_file_goes_with_the_next(
    client: Client, run: Run, engineer: User, django_capture_on_commit_callbacks: Any, stored: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(answer_files.children, "start", lambda *words: None)
    client.force_login(engineer)
    send(client, run, GOOD)
    AnswerFile.objects.update(seen_at=timezone.now() - answer_files.SILENCE - timedelta(seconds=1))
    assert "the import was interrupted" in shown(client, run)
    with django_capture_on_commit_callbacks(execute=True):
        send(client, run, GOOD)
    assert [(file.state, bool(file.error)) for file in AnswerFile.objects.order_by("pk")] == [
        ("failed", True),
        ("importing", False),
    ]
    assert stored() == 1


def test_a_run_takes_only_so_many_files_at_a_time(run: Run, engineer: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(answer_files, "OPEN_AT_ONCE", 1)
    answer_files.receive(run, "a", [GOOD], AnswerOptions(), engineer)
    with pytest.raises(WrongState, match="wait for one of them"):
        answer_files.receive(run, "b", [GOOD], AnswerOptions(), engineer)


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_files_sent_together_are_imported_one_after_another(
    run: Run, engineer: User, live_environ: dict[str, str], tmp_path: Path, settings: Any, monkeypatch: Any
) -> None:
    roots = {"UPLOADS_ROOT": tmp_path / "uploads", "WHETSTONE_VAR": tmp_path, "MODEL_ROOTS": settings.MODEL_ROOTS[0]}
    for name, value in {**live_environ, **{name: str(folder) for name, folder in roots.items()}}.items():
        monkeypatch.setenv(name, value)
    settings.VAR = tmp_path
    files = [answer_files.receive(run, f"{n}.json", [GOOD], AnswerOptions(attempt=n), engineer) for n in (0, 1)]
    end = time.monotonic() + 120
    while AnswerFile.objects.filter(state="importing").exists():
        assert time.monotonic() < end, (tmp_path / "log" / "imports.log").read_text()
        time.sleep(0.1)
    told = AnswerFile.objects.order_by("pk").values_list("state", "error", "report__taken")
    assert list(told) == [("done", "", 1)] * len(files)
    assert sorted(ImportedAnswer.objects.values_list("attempt", flat=True)) == [0, 1]
    assert list((tmp_path / "uploads").iterdir()) == []
