"""The way from a file to an import, by its pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.models import Project, Upload, User
from curation.stages import import_child, uploading
from curation.stages.uploading import ImportOptions
from toolcalls.answers import Call
from toolcalls.exporting import sample_line
from toolcalls.records import Sample

pytestmark = [pytest.mark.db, pytest.mark.django_db]
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, settings: Any) -> Path:
    settings.UPLOADS_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def content(make_samples: Callable[..., list[Sample]]) -> bytes:
    return "".join(sample_line(sample) + "\n" for sample in make_samples()).encode()


@pytest.fixture
def new(project: Project) -> str:
    return reverse("upload_new", args=[project.team.slug, project.slug])


def file(content: bytes, name: str = "weather.jsonl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def of(upload: Upload, name: str = "upload") -> str:
    return reverse(name, args=[upload.project.team.slug, upload.project.slug, upload.pk])


@pytest.fixture
def upload(project: Project, engineer: User, content: bytes) -> Upload:
    return uploading.receive(project, "Weather", "weather.jsonl", [content, b"nonsense\n"], engineer)


def test_a_sent_file_leads_to_its_preview(client: Client, new: str, engineer: User, content: bytes) -> None:
    client.force_login(engineer)
    assert client.get(new).status_code == 200
    answer = client.post(new, {"dataset": "Weather", "file": file(content)})
    upload = Upload.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, of(upload))
    page = client.get(of(upload)).content.decode()
    assert "The whole file was read." in page and page.count('<details class="sample">') == 5
    by_script = client.post(new, {"dataset": "Weather", "file": file(content)}, headers=HTMX)
    assert by_script["HX-Redirect"] == of(Upload.objects.latest("id"))


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_cannot_be_taken_shows_the_form_again_with_why(
    client: Client, new: str, engineer: User, settings: Any, headers: dict[str, str]
) -> None:
    client.force_login(engineer)
    settings.UPLOAD_LIMIT = 5
    for given in ({"dataset": "d", "file": file(b"123456")}, {"dataset": "d"}, {"dataset": "?", "file": file(b"1")}):
        answer = client.post(new, given, headers=headers)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()
        assert ("<html" in answer.content.decode()) == (not headers)
    assert not Upload.objects.exists()


def test_the_preview_names_lines_that_cannot_be_used_and_takes_another_form_on_request(
    client: Client, upload: Upload, engineer: User
) -> None:
    client.force_login(engineer)
    assert "line 13" in client.get(of(upload)).content.decode()
    other = client.get(of(upload), {"format": "openai"}, headers=HTMX).content.decode()
    assert "There is no sample in it in this form." in other
    assert "unknown format" in client.get(of(upload), {"format": "xml"}).content.decode()


def test_an_import_is_begun_watched_and_reported(
    client: Client, upload: Upload, engineer: User, viewer: User, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(engineer)
    answer = client.post(of(upload, "upload_import"), {"split": "hash", "heldout_share": "0.3", "skip_errors": "on"})
    assert (answer.status_code, answer["Location"]) == (302, of(upload))
    Upload.objects.update(rows=500, report={"read": upload.bytes // 2})
    client.force_login(viewer)
    page = client.get(of(upload)).content.decode()
    assert 'hx-trigger="every 1s"' in page and "500 samples read" in page and 'value="50"' in page
    upload.refresh_from_db()
    import_child.run(upload)
    done = client.get(of(upload), headers=HTMX).content.decode()
    assert "hx-trigger" not in done and "<html" not in done
    assert "Revision 1" in done and "1 row left out" in done
    again = reverse("run_new", args=[upload.project.team.slug, upload.project.slug])
    assert again not in done
    client.force_login(engineer)
    assert again in client.get(of(upload)).content.decode()


def test_a_report_names_truths_that_break_their_tools(
    client: Client, project: Project, engineer: User, make_sample: Callable[..., Any]
) -> None:
    broken = make_sample(1, truth=(Call("get_weather", {"town": "Rome"}),))
    upload = uploading.receive(project, "Weather", "weather.jsonl", [sample_line(broken).encode()], engineer)
    uploading.begin_import(upload, ImportOptions(), engineer)
    upload.refresh_from_db()
    import_child.run(upload)
    client.force_login(engineer)
    page = client.get(of(upload)).content.decode()
    assert "1 truth calls tools in a way that the tools’ descriptions do not allow" in page
    assert "&#x27;get_weather&#x27; has no parameter &#x27;town&#x27;" in page


def test_an_import_that_died_is_shown_as_failed_and_can_be_tried_again(client: Client, upload: Upload, engineer: User) -> None:
    uploading.begin_import(upload, ImportOptions(skip_errors=True), engineer)
    Upload.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    client.force_login(engineer)
    page = client.get(of(upload)).content.decode()
    assert uploading.INTERRUPTED in page and "Try again" in page and 'hx-trigger="every' not in page
    listed = client.get(reverse("datasets", args=[upload.project.team.slug, upload.project.slug])).content.decode()
    assert "failed" in listed
    assert client.post(of(upload, "upload_import"), {"skip_errors": "on"}).status_code == 302


def test_wrong_options_and_a_second_import_are_refused(client: Client, upload: Upload, engineer: User) -> None:
    client.force_login(engineer)
    assert client.post(of(upload, "upload_import"), {"split": "both"}).status_code == 422
    assert client.post(of(upload, "upload_import")).status_code == 302
    assert client.post(of(upload, "upload_import")).status_code == 409
    assert client.post(of(upload, "upload_discard")).status_code == 409


def test_a_file_is_discarded(client: Client, upload: Upload, engineer: User) -> None:
    client.force_login(engineer)
    assert client.post(of(upload, "upload_discard")).status_code == 302
    page = client.get(of(upload)).content.decode()
    assert "discarded without being imported" in page


def test_others_look_on_and_outsiders_do_not(
    client: Client, new: str, upload: Upload, reviewer: User, outsider: User, content: bytes
) -> None:
    client.force_login(reviewer)
    assert "uploaded by engineers" in client.get(new).content.decode()
    assert client.post(new, {"dataset": "d", "file": file(content)}).status_code == 403
    page = client.get(of(upload)).content.decode()
    assert "<form" not in page.partition("<main")[2]
    for action in ("upload_import", "upload_discard"):
        assert client.post(of(upload, action)).status_code == 403
        assert client.get(of(upload, action)).status_code == 405
    client.force_login(outsider)
    for address in (new, of(upload), of(upload, "upload_import"), of(upload, "upload_discard")):
        assert client.post(address).status_code in (404, 405)
        assert client.get(address).status_code in (404, 405)


def test_an_upload_is_found_under_its_own_project_only(client: Client, upload: Upload, engineer: User) -> None:
    from curation.stages import projects

    other = projects.create_project(upload.project.team, "Other", None)
    client.force_login(engineer)
    assert client.get(reverse("upload", args=[other.team.slug, other.slug, upload.pk])).status_code == 404


def test_names_of_files_and_data_sets_are_text(client: Client, project: Project, engineer: User, content: bytes) -> None:
    evil = '"><img src=x onerror=alert(1)>'
    upload = uploading.receive(project, f"d {evil}", evil, [content], engineer)
    client.force_login(engineer)
    for address in (of(upload), reverse("datasets", args=[project.team.slug, project.slug])):
        assert "<img src=x" not in client.get(address).content.decode()


@pytest.mark.parametrize(("heldout", "suggested"), [(4, False), (0, True)])
def test_a_share_is_suggested_where_nothing_would_be_held_out(
    client: Client, project: Project, engineer: User, make_samples: Callable[..., list[Sample]], heldout: int, suggested: bool
) -> None:
    content = "\n".join(sample_line(sample) for sample in make_samples(8, heldout)).encode()
    client.force_login(engineer)
    page = client.get(of(uploading.receive(project, "New", "new.jsonl", [content], engineer))).content.decode()
    assert ('value="hash" checked' in page) == suggested
    assert ('value="own" checked' in page) != suggested
