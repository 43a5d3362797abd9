"""The process that imports an upload: its start, its signs of life, and its end, all of it in the row of the upload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from curation.models import Event, Upload, User
from curation.models.uploads import UploadState
from curation.stages import children, events, uploaded_files
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.heartbeat import Heartbeat
from curation.stages.importing import ImportReport, import_dataset
from toolcalls.importing import RowError

ROWS_SHOWN = 100  # rows left out, and rows that break their tools' descriptions, that the report names
UNEXPECTED = "the import failed for a reason of the server's, and nothing was imported; the operator's log says why"


def start(upload: int) -> None:
    """Import it in a process of its own. Should that not start, its silence says so (uploading.is_dead)."""
    children.start("import_upload", upload, "imports.log")


def run(upload: Upload) -> ImportReport:
    """Import the file in one transaction, as the person who began it, and note how it ended.

    Raises what refuses the import, with nothing imported and the upload failed; WrongState when it is not this process's to do.
    """
    try:
        mine = Upload.objects.filter(pk=upload.pk, state=UploadState.IMPORTING)
        with uploaded_files.opened(upload) as file, Heartbeat(mine, file) as heart, transaction.atomic():
            _only_one(upload)
            by, options = _begun_by(upload), upload.options
            report = import_dataset(upload.project, upload.dataset, file, **options, by=by, on_progress=heart.rows_read)
            _close(upload, report)
    except WrongState:
        raise
    except (InputError, NotPermitted) as error:
        _fail(upload, str(error).replace(" (--skip-errors)", ""))
        raise
    except Exception:
        _fail(upload, UNEXPECTED)
        raise
    uploaded_files.delete(upload.uri)
    return report


def _only_one(upload: Upload) -> None:
    """Raises WrongState when nobody asked for it, or while another process imports it: one thought dead may only be slow."""
    if not Upload.objects.filter(pk=upload.pk, state=UploadState.IMPORTING).exists():
        raise WrongState(f"upload {upload.pk} is {upload.state}; its page begins an import")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('import_upload'), %s)", [upload.pk])
        if not cursor.fetchone()[0]:
            raise WrongState(f"upload {upload.pk} is being imported by another process")


def _begun_by(upload: Upload) -> User | None:
    """Who asked for the import. import_dataset asks again whether they may: their role may have ended since."""
    begun = Event.objects.filter(team=upload.project.team_id, verb="upload.begin", subject_id=upload.pk)
    return begun.select_related("actor").latest("id").actor


def _close(upload: Upload, report: ImportReport) -> None:
    """In the import's transaction. Raises WrongState when the upload was taken for dead and discarded meanwhile."""
    mine = Upload.objects.filter(pk=upload.pk, state=UploadState.IMPORTING)
    done = {"rows": report.rows, "report": _report_json(report), "revision": report.revision}
    if not mine.update(state=UploadState.DONE, seen_at=Now(), closed_at=Now(), **done):
        raise WrongState(f"upload {upload.pk} was given up meanwhile; nothing was imported")


def _fail(upload: Upload, why: str) -> None:
    """Nothing was imported; the file stays, to be tried again with other options."""
    with transaction.atomic():
        mine = Upload.objects.filter(pk=upload.pk, state=UploadState.IMPORTING)
        if mine.update(state=UploadState.FAILED, error=why, closed_at=Now()):
            after = {"file": upload.file_name, "dataset": upload.dataset}
            first = why.partition("\n")[0]
            events.record("upload.fail", upload, team=upload.project.team, after=after, why=first)


def _report_json(report: ImportReport) -> dict[str, Any]:
    return {
        "revision": report.revision.number,
        "created": report.created,
        "rows": report.rows,
        "new": report.new,
        "duplicates": report.duplicates,
        "skipped": report.skipped,
        "by_split": report.by_split,
        "calls": report.calls,
        "no_calls": report.no_calls,
        "errors": _rows_json(report.errors),
        "breaking": report.breaking,
        "breaches": _rows_json(report.breaches),
    }


def _rows_json(rows: Sequence[RowError]) -> list[dict[str, Any]]:
    return [{"line": row.line, "message": row.message} for row in rows[:ROWS_SHOWN]]
