"""A long file, which a process of its own reads: as a short one is read, and nothing is left of that process."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

import pytest

from curation.models import Dataset, DatasetRevision, Project, RevisionEntry, User
from curation.models.searching import dataset_word
from curation.stages.errors import InputError
from curation.stages.importing import ImportReport, import_dataset
from curation.stages.incoming import BATCH_ROWS, Batch, Incoming
from curation.stages.reading_child import LONG, ROOT, is_long, read_beside
from toolcalls.answers import Call
from toolcalls.exporting import sample_line

ROWS = BATCH_ROWS + 300


@pytest.fixture
def rows(make_sample: Callable[..., Any]) -> list[str]:
    """Rows of more than LONG bytes: one of each kind of trouble, the last of them near the end."""
    samples = [make_sample(number, other="é" * 500) for number in range(ROWS)]
    samples[BATCH_ROWS + 9] = replace(samples[BATCH_ROWS + 9], truth=(Call("get_weather", {"town": "Rome"}),))
    found = [sample_line(each).strip() for each in samples]
    found[BATCH_ROWS + 5 : BATCH_ROWS + 5] = [sample_line(replace(samples[3], id="copy")).strip(), "", found[4]]
    return found


@pytest.fixture
def path(tmp_path: Path, rows: list[str]) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    assert path.stat().st_size >= LONG
    return path


def kept(revision: DatasetRevision) -> list[tuple[Any, ...]]:
    """All that is stored of a revision, but for the word that names its data set."""
    entries = RevisionEntry.objects.filter(revision=revision).order_by("position")
    columns = ("position", "version__sample__key", "version__sample__split", "version__content", "version__number")
    found = entries.values_list(*columns, "version__created_by", "version__calls", "version__words__words")
    word = f"'{dataset_word(revision.dataset_id)}'"
    return [(*columns, words.replace(word, "")) for *columns, words in found]


def counts(report: ImportReport) -> tuple[Any, ...]:
    found = report.revision
    return (
        found.sha256,
        report.rows,
        report.new,
        report.duplicates,
        report.errors,
        report.skipped,
        report.breaking,
        report.breaches,
        report.by_split,
        report.calls,
    )


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.db
@pytest.mark.django_db
def test_long_file_becomes_what_a_short_one_becomes(project: Project, path: Path, engineer: User, append: bool) -> None:
    options: dict[str, Any] = {"heldout_share": 0.2, "skip_errors": True, "append": append, "by": engineer}
    progress: dict[str, list[int]] = {"short": [], "long": []}
    reports = {}
    sources: dict[str, Path | IO[bytes]] = {"short": io.BytesIO(path.read_bytes()), "long": path}
    for name, source in sources.items():
        if append:
            import_dataset(project, name, io.BytesIO(path.read_bytes()[: LONG // 2]), **options)
        reports[name] = import_dataset(project, name, source, on_progress=progress[name].append, **options)
    assert counts(reports["long"]) == counts(reports["short"])
    assert (reports["long"].duplicates, reports["long"].skipped, reports["long"].breaking) == (1, 1, 1)
    assert progress["long"] == progress["short"] == [500, 1000]
    assert kept(reports["long"].revision) == kept(reports["short"].revision)


@pytest.mark.db
@pytest.mark.django_db
def test_bad_row_of_a_long_file_is_named_and_leaves_nothing(project: Project, path: Path) -> None:
    with pytest.raises(
        InputError, match=rf"rows.jsonl: 1 of {ROWS + 2} rows .*\n  line {BATCH_ROWS + 8}: id 'sample-4' was given"
    ):
        import_dataset(project, "weather", path)
    assert not Dataset.objects.exists()


@pytest.mark.db
@pytest.mark.django_db
def test_file_that_cannot_be_read_to_its_end_is_the_users_error(project: Project, path: Path) -> None:
    with path.open("ab") as file, path.open("rb") as reading:
        reading.seek(0)
        os.dup2(file.fileno(), reading.fileno())  # its descriptor turns into one that is open for writing only
        with pytest.raises(InputError, match=r"cannot be read: Bad file descriptor"):
            import_dataset(project, "weather", reading)
    assert not Dataset.objects.exists()


def test_a_file_on_disk_with_much_to_read_is_long(tmp_path: Path, path: Path) -> None:
    short, packed = tmp_path / "short.jsonl", tmp_path / "packed.gz"
    short.write_bytes(b"x" * (LONG - 1))
    packed.write_bytes(gzip.compress(os.urandom(2 * LONG)))
    assert not is_long(io.BytesIO(b"x" * LONG))
    with short.open("rb") as small, gzip.open(packed) as inside, path.open("rb") as file, path.open("rb", buffering=0) as raw:
        assert (is_long(small), is_long(cast(IO[bytes], inside)), is_long(file), is_long(raw)) == (False, False, True, True)
        file.seek(-100, os.SEEK_END)
        assert not is_long(file)


def incoming() -> Incoming:
    return Incoming(None, 0.0, skip_errors=True)


def batches_of(file: io.BufferedReader) -> list[Batch]:
    found: list[Batch] = []
    read_beside(incoming(), file, "auto", found.append)
    return found


def test_reading_begins_where_the_file_stands(path: Path) -> None:
    with path.open("rb") as file:
        file.readline()
        assert sum(len(batch.samples) for batch in batches_of(file)) == ROWS - 1
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == path.stat().st_size  # how far it is can be asked from here


def children() -> set[int]:
    return {int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_child_ends_when_its_rows_cannot_be_stored(path: Path) -> None:
    before = children()

    def fail(batch: Batch) -> None:
        assert children() > before
        raise ValueError("no room")

    with path.open("rb") as file, pytest.raises(ValueError, match="no room"):
        read_beside(incoming(), file, "auto", fail)
    assert children() == before


def test_child_that_is_killed_ends_the_import(tmp_path: Path, path: Path) -> None:
    before = children()
    long = tmp_path / "long.jsonl"
    long.write_bytes(b"\n".join([path.read_bytes()] * 20))

    def kill(batch: Batch) -> None:
        for child in children() - before:
            os.kill(child, signal.SIGKILL)

    with long.open("rb") as file, pytest.raises(RuntimeError, match="the process that read the file ended with -9"):
        read_beside(incoming(), file, "auto", kill)
    assert children() == before


def test_child_ends_when_nobody_reads_it_any_more(path: Path) -> None:
    argv = [sys.executable, "-m", "curation.stages.reading_child", json.dumps([None, 0.0, True, "auto"])]
    with path.open("rb") as file:
        child = subprocess.Popen(argv, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    child.stdout.close()
    assert (child.wait(30), child.stderr and child.stderr.read()) == (1, b"")
    child.stderr and child.stderr.close()


def test_child_loads_no_django() -> None:
    code = "import sys, curation.stages.reading_child; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
