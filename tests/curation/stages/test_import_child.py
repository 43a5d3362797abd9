"""The process of an import: it reports while it works, outlives who started it, and leaves nothing behind when it is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from django.utils import timezone

from curation.models import Dataset, Event, Project, Sample, Upload, User
from curation.stages import uploading
from curation.stages.uploading import ImportOptions
from toolcalls.exporting import sample_line

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]

ROWS = 40_000


@pytest.fixture
def upload(
    live_environ: dict[str, str],
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    project: Project,
    engineer: User,
    make_samples: Callable[..., Any],
) -> Upload:
    """A received file whose import would take some seconds; its process gets this test's environment."""
    for name, value in {**live_environ, "UPLOADS_ROOT": str(tmp_path), "WHETSTONE_VAR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    settings.UPLOADS_ROOT = settings.VAR = tmp_path
    content = "".join(sample_line(sample) + "\n" for sample in make_samples(ROWS, 100)).encode()
    return uploading.receive(project, "Weather", "weather.jsonl", [content], engineer)


def until(upload: Upload, condition: Callable[[Upload], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition(upload):
        assert time.monotonic() < end, f"{upload.state} {upload.rows} {upload.error}"
        time.sleep(0.05)
        upload.refresh_from_db()


def processes(upload: Upload) -> list[int]:
    """Ids of the processes that import this upload."""
    wanted = ["import_upload", str(upload.pk)]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if words[2:4] == wanted:
            found.append(int(folder.name))
    return found


@pytest.fixture(autouse=True)
def none_left(upload: Upload) -> Iterator[None]:
    yield
    for process in processes(upload):
        os.kill(process, signal.SIGKILL)


def test_an_import_in_its_own_process_tells_how_far_it_is_and_ends_done(upload: Upload, engineer: User, tmp_path: Path) -> None:
    uploading.begin_import(upload, ImportOptions(), engineer)
    until(upload, lambda one: bool(one.report.get("read")) or one.state == "done")
    if upload.state == "importing":
        assert os.getpgid(processes(upload)[0]) != os.getpgid(os.getpid())
        assert 0 < upload.report["read"] <= upload.bytes
    until(upload, lambda one: one.state != "importing")
    assert (upload.state, upload.error) == ("done", "")
    assert upload.rows == ROWS + 100
    assert upload.revision is not None and upload.revision.train == ROWS
    assert not list(tmp_path.glob("*.rows"))
    assert Event.objects.get(verb="dataset.import").actor == engineer


@pytest.mark.chaos
def test_an_import_that_is_killed_leaves_nothing_and_can_be_tried_again(upload: Upload, engineer: User) -> None:
    uploading.begin_import(upload, ImportOptions(), engineer)
    until(upload, lambda one: one.report.get("read", 0) > 0)
    os.kill(processes(upload)[0], signal.SIGKILL)
    until(upload, lambda one: not processes(one))
    assert upload.state == "importing"
    assert not Dataset.objects.exists() and not Sample.objects.exists()
    Upload.objects.update(seen_at=timezone.now() - uploading.SILENCE - timedelta(seconds=1))
    upload.refresh_from_db()
    assert uploading.is_dead(upload)
    uploading.begin_import(upload, ImportOptions(), engineer)
    until(upload, lambda one: one.state != "importing")
    assert (upload.state, upload.error) == ("done", "")
    assert Dataset.objects.get().revisions.get().train == ROWS
