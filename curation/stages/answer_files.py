"""Files of answers that people send to a run: stored as they come, and imported in processes of their own, one after another.

Not in charge of what an answer must be: see `curation.stages.imported`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from curation.models import AnswerFile, Run, User
from curation.models.imported import AnswerFileState
from curation.stages import children, events, uploaded_files
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.heartbeat import Heartbeat
from curation.stages.imported import Imported, expecting, import_generations
from toolcalls.outputs import FORMATS

MOST_ATTEMPT = 1023
OPEN_AT_ONCE = 16  # files of a run
SILENCE = timedelta(seconds=30)  # after which an import that gave no sign of life is thought dead
INTERRUPTED = "the import was interrupted; nothing was imported; send the file again"
UNEXPECTED = "the import failed for a reason of the server's, and nothing was imported; the operator's log says why"


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How to import, as `import_generations` takes it."""

    format: str = "auto"
    attempt: int = 0
    skip_errors: bool = False
    allow_missing: bool = False
    start_over: bool = False


def options_from(given: Mapping[str, str]) -> AnswerOptions:
    """Options as a form sends them. Raises InputError."""
    attempt = given.get("attempt", "").strip() or "0"
    if not (attempt.isascii() and attempt.isdigit() and len(attempt) < 5):
        raise InputError(f"attempt {attempt[:40]!r}: a whole number expected, from 0")
    ticked = {name: bool(given.get(name)) for name in ("skip_errors", "allow_missing", "start_over")}
    return AnswerOptions(given.get("format") or "auto", int(attempt), **ticked)


def receive(run: Run, file_name: str, chunks: Iterable[bytes], options: AnswerOptions, by: User | None) -> AnswerFile:
    """Store what arrives and begin to import it; its row tells how far that is.

    Raises NotPermitted, WrongState when the run waits for nothing or for many files already, InputError, with nothing kept, for
    options that cannot be, an empty file, one over UPLOAD_LIMIT, and when it cannot be stored.
    """
    expecting(run, by)
    _check(options)
    _give_up_dead(run)
    if AnswerFile.objects.filter(run=run, state=AnswerFileState.IMPORTING).count() >= OPEN_AT_ONCE:
        raise WrongState(f"{OPEN_AT_ONCE} files of run {run.pk} are being imported already; wait for one of them")
    name, stored = uploaded_files.shown_name(file_name), uploaded_files.store(chunks)
    try:
        with transaction.atomic():
            fields = {"run": run, "file_name": name, "options": asdict(options), "by": by, "seen_at": timezone.now()}
            file = AnswerFile.objects.create(**fields, **stored._asdict())
            after = {"file": name, "bytes": stored.bytes, **asdict(options)}
            events.record("generations.receive", file, run_id=run.pk, actor=by, after=after)
            transaction.on_commit(lambda: children.start("import_answers", file.pk, "imports.log"))
    except BaseException:
        uploaded_files.delete(stored.uri)
        raise
    return file


def _check(options: AnswerOptions) -> None:
    if options.format not in ("auto", *FORMATS):
        raise InputError(f"unknown format {options.format[:40]!r}; known are auto, {', '.join(FORMATS)}")
    if not 0 <= options.attempt <= MOST_ATTEMPT:
        raise InputError(f"attempt {options.attempt}: from 0 to {MOST_ATTEMPT}")


def run(file: AnswerFile) -> Imported:
    """Import the file in one transaction, as the person who sent it, and note how it ended.

    Raises what refuses the import, with nothing imported and the file's row failed; WrongState, too, when it is not this
    process's to do.
    """
    try:
        with uploaded_files.opened(file) as content, Heartbeat(_open(file), content) as heart, transaction.atomic():
            _take_turn(file)
            named, options = [(file.file_name, content)], file.options
            report = import_generations(file.run, named, **options, by=file.by, on_progress=heart.rows_read)
            _close(file, report)
    except (InputError, NotPermitted, WrongState) as error:
        _fail(file, str(error).replace(" (--skip-errors leaves them out)", ""))
        raise
    except Exception:
        _fail(file, UNEXPECTED)
        raise
    uploaded_files.delete(file.uri)
    return report


def is_dead(file: AnswerFile) -> bool:
    """Whether its import gave no sign of life for so long that its process must be gone."""
    silent = file.seen_at is None or file.seen_at < timezone.now() - SILENCE
    return file.state == AnswerFileState.IMPORTING and silent


def standing(file: AnswerFile) -> tuple[str, str]:
    """Its state and its error as people are told: an import that died has failed."""
    return (str(AnswerFileState.FAILED), INTERRUPTED) if is_dead(file) else (file.state, file.error)


def _open(file: AnswerFile) -> QuerySet[AnswerFile]:
    return AnswerFile.objects.filter(pk=file.pk, state=AnswerFileState.IMPORTING)


def _take_turn(file: AnswerFile) -> None:
    """Wait for the run's other files. Raises WrongState when this one is closed by then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('import_answers'), %s)", [file.run_id])
    if not _open(file).exists():
        raise WrongState(f"file {file.pk} is not to be imported any more; send it again")


def _close(file: AnswerFile, report: Imported) -> None:
    """In the import's transaction. Raises WrongState when the file was given up for dead meanwhile."""
    told = {
        "taken": report.taken,
        "left_out": report.left_out,
        "errors": report.errors,
        "arrived": report.arrived,
        "awaited": report.awaited,
        "goes_on": report.waiting is None,
    }
    rows = report.taken + report.left_out
    if not _open(file).update(state=AnswerFileState.DONE, rows=rows, report=told, seen_at=Now(), closed_at=Now()):
        raise WrongState(f"file {file.pk} was given up meanwhile; nothing was imported")


def _fail(file: AnswerFile, why: str) -> None:
    with transaction.atomic():
        if _open(file).update(state=AnswerFileState.FAILED, error=why, report={}, closed_at=Now()):
            first = why.partition("\n")[0]
            events.record("generations.fail", file, run_id=file.run_id, after={"file": file.file_name}, why=first)
            transaction.on_commit(lambda: uploaded_files.delete(file.uri))


def _give_up_dead(run: Run) -> None:
    silent = Q(seen_at=None) | Q(seen_at__lt=timezone.now() - SILENCE)
    for file in AnswerFile.objects.filter(silent, run=run, state=AnswerFileState.IMPORTING):
        _fail(file, INTERRUPTED)
