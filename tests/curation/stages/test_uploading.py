"""Uploads: received whole or not at all, previewed, discarded; what begins an import and what does not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from django.db import connection
from django.utils import timezone

from curation.models import Dataset, Event, Project, Upload, User
from curation.stages import import_child, uploading
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.previewing import Breach, preview
from curation.stages.uploading import ImportOptions, options_from
from toolcalls.answers import Call
from toolcalls.exporting import sample_line
from toolcalls.records import Sample

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, settings: Any) -> Path:
    settings.UPLOADS_ROOT = tmp_path / "uploads"
    return tmp_path / "uploads"


@pytest.fixture
def content(make_samples: Callable[..., list[Sample]]) -> bytes:
    return "".join(sample_line(sample) + "\n" for sample in make_samples()).encode()


@pytest.fixture
def upload(project: Project, engineer: User, content: bytes) -> Upload:
    return uploading.receive(project, "Weather", "weather.jsonl", [content[:100], content[100:]], engineer)


def begun(upload: Upload, by: User, **options: Any) -> Upload:
    """An import that was asked for, as it is before its process starts: nothing is committed within these tests."""
    uploading.begin_import(upload, ImportOptions(**options), by)
    return Upload.objects.select_related("project__team").get(pk=upload.pk)


def test_a_file_is_stored_under_a_name_of_our_own_with_its_hash(upload: Upload, uploads: Path, content: bytes) -> None:
    assert upload.sha256 == hashlib.sha256(content).hexdigest()
    assert upload.bytes == len(content)
    assert [path.read_bytes() for path in uploads.iterdir()] == [content]
    assert upload.uri == next(uploads.iterdir()).name != "weather.jsonl"
    assert Event.objects.get(verb="upload.receive").after["file"] == "weather.jsonl"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\pool.jsonl", "pool.jsonl"),
        ("a\0b\n.jsonl", "ab.jsonl"),
        ("..", ".."),
        ("", "upload"),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_file_s_own_name_is_shown_and_is_no_path(
    given: str, shown: str, project: Project, engineer: User, uploads: Path
) -> None:
    upload = uploading.receive(project, "d", given, [b"x"], engineer)
    assert upload.file_name == shown
    assert [path.name for path in uploads.iterdir()] == [upload.uri]


def test_a_file_over_the_limit_is_refused_and_not_kept(project: Project, engineer: User, uploads: Path, settings: Any) -> None:
    settings.UPLOAD_LIMIT = 10
    with pytest.raises(InputError, match="more than 10 bytes"):
        uploading.receive(project, "d", "f", [b"12345678", b"123"], engineer)
    assert list(uploads.iterdir()) == []
    assert not Upload.objects.exists()


def test_an_empty_file_and_an_impossible_name_are_refused(project: Project, engineer: User, uploads: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        uploading.receive(project, "d", "f", [], engineer)
    assert list(uploads.iterdir()) == []
    with pytest.raises(InputError, match="no letter or digit"):
        uploading.receive(project, "???", "f", [b"x"], engineer)


def test_a_folder_that_cannot_be_written_is_told_in_words(
    project: Project, engineer: User, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "file").write_text("")
    settings.UPLOADS_ROOT = tmp_path / "file"
    with pytest.raises(InputError, match="tell the operator"):
        uploading.receive(project, "d", "f", [b"x"], engineer)


def test_only_engineers_upload_import_and_discard(
    project: Project, reviewer: User, viewer: User, engineer: User, upload: Upload
) -> None:
    for user in (reviewer, viewer):
        with pytest.raises(NotPermitted):
            uploading.receive(project, "d", "f", [b"x"], user)
        with pytest.raises(NotPermitted):
            uploading.begin_import(upload, ImportOptions(), user)
        with pytest.raises(NotPermitted):
            uploading.discard(upload, user)


def test_a_discarded_file_is_gone(upload: Upload, engineer: User, uploads: Path, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        uploading.discard(upload, engineer)
    assert upload.state == "discarded"
    assert list(uploads.iterdir()) == []
    for again in (uploading.discard, lambda one, by: uploading.begin_import(one, ImportOptions(), by)):
        with pytest.raises(WrongState, match="discarded already"):
            again(upload, engineer)


def test_a_file_that_nobody_imports_for_a_week_is_discarded_with_the_next_one(
    upload: Upload, engineer: User, project: Project
) -> None:
    Upload.objects.update(created_at=timezone.now() - timedelta(days=8))
    uploading.receive(project, "d", "next", [b"x"], engineer)
    upload.refresh_from_db()
    assert upload.state == "discarded"
    assert Event.objects.get(verb="upload.discard").actor is None


def test_an_import_makes_the_revision_that_the_file_holds(upload: Upload, engineer: User, uploads: Path) -> None:
    report = import_child.run(begun(upload, engineer))
    upload.refresh_from_db()
    assert upload.state == "done"
    assert upload.revision == report.revision
    assert report.revision.source == "weather.jsonl"
    assert report.revision.created_by == engineer
    assert upload.report["by_split"] == {"train": 8, "heldout": 4}
    assert upload.rows == 12
    assert list(uploads.iterdir()) == []


def test_the_options_are_those_that_were_chosen(upload: Upload, engineer: User) -> None:
    import_child.run(begun(upload, engineer, split="heldout"))
    upload.refresh_from_db()
    assert upload.report["by_split"] == {"train": 0, "heldout": 12}
    assert Event.objects.get(verb="upload.begin").after["split"] == "heldout"


def test_rows_that_cannot_be_used_fail_the_import_and_it_can_be_tried_again_without_them(
    project: Project, engineer: User, content: bytes, uploads: Path
) -> None:
    upload = uploading.receive(project, "d", "f.jsonl", [content, b"{}\nnonsense\n"], engineer)
    with pytest.raises(InputError):
        import_child.run(begun(upload, engineer))
    upload.refresh_from_db()
    assert upload.state == "failed"
    assert "2 of 14 rows cannot be used" in upload.error and "line 14" in upload.error and "--" not in upload.error
    assert not Dataset.objects.exists()
    import_child.run(begun(upload, engineer, skip_errors=True))
    upload.refresh_from_db()
    assert (upload.state, upload.error, upload.report["skipped"]) == ("done", "", 2)
    assert [error["line"] for error in upload.report["errors"]] == [13, 14]


def test_an_unforeseen_failure_is_told_without_its_details(upload: Upload, engineer: User, settings: Any) -> None:
    waiting = begun(upload, engineer)
    Upload.objects.update(options={"no_such_option": 1})
    waiting.refresh_from_db()
    with pytest.raises(TypeError):
        import_child.run(waiting)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == ("failed", import_child.UNEXPECTED)


def test_who_lost_the_role_meanwhile_imports_nothing(upload: Upload, engineer: User) -> None:
    waiting = begun(upload, engineer)
    engineer.memberships.all().delete()
    with pytest.raises(NotPermitted):
        import_child.run(waiting)
    upload.refresh_from_db()
    assert upload.state == "failed"
    assert not Dataset.objects.exists()


def test_an_import_that_nobody_began_is_refused(upload: Upload) -> None:
    with pytest.raises(WrongState, match="its page begins an import"):
        import_child.run(upload)


def test_an_import_that_is_under_way_is_not_begun_again_until_it_has_been_silent(upload: Upload, engineer: User) -> None:
    waiting = begun(upload, engineer)
    assert not uploading.is_dead(waiting)
    for again in (uploading.discard, lambda one, by: uploading.begin_import(one, ImportOptions(), by)):
        with pytest.raises(WrongState, match="is being imported"):
            again(waiting, engineer)
    Upload.objects.update(seen_at=timezone.now() - uploading.SILENCE - timedelta(seconds=1))
    waiting.refresh_from_db()
    assert uploading.is_dead(waiting)
    assert not uploading.is_dead(begun(waiting, engineer))


GIVE_UP = """
CREATE FUNCTION pg_temp.give_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE curation_upload SET state = 'discarded'; RETURN NULL; END $$;
CREATE TRIGGER give_up AFTER INSERT ON curation_datasetrevision FOR EACH ROW EXECUTE FUNCTION pg_temp.give_up()
"""


def test_an_import_that_was_given_up_meanwhile_writes_nothing(upload: Upload, engineer: User) -> None:
    waiting = begun(upload, engineer)
    with connection.cursor() as cursor:
        cursor.execute(GIVE_UP)
    with pytest.raises(WrongState, match="given up"):
        import_child.run(waiting)
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({}, ImportOptions()),
        ({"split": "heldout", "append": "on"}, ImportOptions(split="heldout", append=True)),
        ({"split": "hash", "heldout_share": "0.1"}, ImportOptions(heldout_share=0.1)),
        ({"split": "own", "heldout_share": "x", "format": "openai"}, ImportOptions(format="openai")),
        ({"skip_errors": "1"}, ImportOptions(skip_errors=True)),
    ],
)
def test_a_form_s_words_are_read_as_options(given: dict[str, str], options: ImportOptions) -> None:
    assert options_from(given) == options


@pytest.mark.parametrize(
    "given", [{"split": "both"}, *({"split": "hash", "heldout_share": s} for s in ("", "0", "1", "nan", "x"))]
)
def test_options_that_cannot_be_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(InputError):
        options_from(given)


def test_a_preview_counts_what_the_import_would_find(upload: Upload) -> None:
    seen = preview(upload)
    assert seen.whole
    assert (seen.found, seen.skipped, seen.calls, seen.no_calls) == (12, 0, 12, 0)
    assert seen.formats == {"whetstone": 12}
    assert seen.splits == {"train": 8, "heldout": 4}
    assert [sample.id for sample in seen.samples] == [f"sample-{number}" for number in range(5)]


def test_a_preview_names_the_lines_that_cannot_be_used(project: Project, engineer: User) -> None:
    rows = [{"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "No."}]}, {"a": 1}]
    lines = "\n".join(map(json.dumps, rows)) + "\nnonsense"
    seen = preview(uploading.receive(project, "d", "f", [lines.encode()], engineer))
    assert seen.formats == {"openai": 1, "unknown": 1}
    assert [error.line for error in seen.errors] == [2, 3]
    assert (seen.no_calls, seen.skipped) == (1, 2)


def test_a_preview_tells_truths_that_their_tools_do_not_allow(
    project: Project, engineer: User, make_sample: Callable[..., Sample]
) -> None:
    tools = ({"name": "f", "parameters": {"a": {"type": "List[int]"}}},)
    good, bad = Call("f", {"a": [1]}), Call("f", {"a": ["x"], "b": 1})
    samples = [make_sample(0, tools=tools, truth=(good,)), make_sample(1, tools=tools, truth=(good, bad))]
    seen = preview(uploading.receive(project, "d", "f", ["\n".join(map(sample_line, samples)).encode()], engineer))
    assert (seen.usable, seen.skipped, seen.breaking) == (2, 0, 1)
    assert seen.breaches == (Breach("sample-1", "'f' has no parameter 'b'"),)


@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_preview_of_a_long_file_reads_its_beginning_and_takes_the_cut_for_no_error(
    form: str, project: Project, engineer: User, make_sample: Callable[..., Sample]
) -> None:
    rows = [sample_line(make_sample(number, other="x" * 100_000)) for number in range(50)]
    text = "\n".join(rows) if form == "lines" else f"[{','.join(rows)}]"
    seen = preview(uploading.receive(project, "d", "f", [text.encode()], engineer))
    assert not seen.whole
    assert 38 <= seen.found <= 42
    assert seen.errors == ()
