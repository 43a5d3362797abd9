"""Files by REST: as the body or as a form's, looked at, imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django.core.files.uploadedfile import SimpleUploadedFile

from curation.models import Upload, User
from curation.stages import import_child
from toolcalls.exporting import sample_line

pytestmark = pytest.mark.django_db  # nothing is committed here, so no import's process starts

ADDRESS = "/api/v1/projects/tools/weather/uploads?dataset=mine"


@pytest.fixture
def content(make_samples: Callable[..., Any], project: Any, settings: Any, tmp_path: Path) -> bytes:
    settings.UPLOADS_ROOT = tmp_path / "uploads"
    return "\n".join(sample_line(sample) for sample in make_samples()).encode()


def test_file_is_sent_as_the_body_looked_at_and_imported(by_token: Callable[..., Any], engineer: User, content: bytes) -> None:
    api = by_token(engineer, "run")
    sent = api.client.post(f"{ADDRESS}&file_name=a.jsonl", content, content_type="application/octet-stream", headers=api.headers)
    made = sent.json()
    assert (sent.status_code, made["file_name"], made["bytes"], made["state"]) == (201, "a.jsonl", len(content), "received")
    seen = api.get(f"/uploads/{made['id']}/preview").json()
    assert (seen["found"], seen["whole"], seen["samples"][0]["id"]) == (12, True, "sample-0")
    begun = api.post(f"/uploads/{made['id']}/import", {"append": True})
    assert (begun.status_code, begun.json()["state"]) == (202, "importing")
    import_child.run(Upload.objects.get(pk=made["id"]))
    done = api.get(f"/uploads/{made['id']}").json()
    assert (done["state"], done["report"]["rows"]) == ("done", 12)
    assert [one["slug"] for one in api.get("/projects/tools/weather/datasets").json()["items"]] == ["mine"]


@pytest.mark.parametrize("by_session_too", [False, True])
def test_file_is_sent_as_a_form_s(
    by_token: Callable[..., Any], by_session: Callable[..., Any], engineer: User, content: bytes, by_session_too: bool
) -> None:
    api = by_session(engineer) if by_session_too else by_token(engineer)
    if by_session_too:
        api.client.cookies["csrftoken"] = api.headers["X-CSRFToken"] = "a" * 32
    sent = api.client.post(ADDRESS, {"file": SimpleUploadedFile("b.jsonl", content)}, headers=api.headers)
    assert (sent.status_code, sent.json()["file_name"], sent.json()["bytes"]) == (201, "b.jsonl", len(content))


def test_form_without_a_file_is_refused(by_token: Callable[..., Any], engineer: User, content: bytes) -> None:
    api = by_token(engineer)
    assert api.client.post(ADDRESS, {"data": "x"}, headers=api.headers).status_code == 422


def test_upload_is_discarded(by_token: Callable[..., Any], engineer: User, viewer: User, content: bytes) -> None:
    api = by_token(engineer)
    made = api.client.post(ADDRESS, content, content_type="text/plain", headers=api.headers).json()
    assert by_token(viewer).delete(f"/uploads/{made['id']}").status_code == 403
    assert api.delete(f"/uploads/{made['id']}").status_code == 204
    assert api.delete(f"/uploads/{made['id']}").status_code == 409
