"""The commands around imported generations: what they print."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django.core.management import call_command

from curation.management.command import Error
from curation.models import Engine, Run
from curation.stages import registering, running

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def engine(db: None) -> Engine:
    return registering.register_engine("elsewhere", "imported")


@pytest.fixture
def run(make_run: Callable[..., Run], make_dataset: Callable[..., Any]) -> Run:
    made = make_run(make_dataset(train=2, heldout=0), k=2)
    running.start_run(made)
    return made


def command(*words: Any) -> tuple[str, str]:
    out, error = io.StringIO(), io.StringIO()
    call_command(*map(str, words), stdout=out, stderr=error)
    return out.getvalue(), error.getvalue()


def result_file(folder: Path, name: str, *rows: Any) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_requests_are_printed_a_line_each(run: Run) -> None:
    out, _ = command("export_requests", run.pk, "--turn", "direct", "--model", "m")
    assert [json.loads(line)["url"] for line in out.splitlines()] == ["/v1/chat/completions"] * 4
    with pytest.raises(Error, match="waits for the direct turn, not for 'refine'"):
        command("export_requests", run.pk, "--turn", "refine", "--model", "m")


def test_files_are_attempts_and_what_is_missing_is_said(run: Run, tmp_path: Path) -> None:
    both = [{"id": "sample-0", "result": "[f()]"}, {"id": "sample-1", "result": "Hello."}]
    first, second = result_file(tmp_path, "a.json", *both), result_file(tmp_path, "b.json", both[0])
    out, error = command("import_generations", run.pk, first, second)
    assert "3 generations imported, 3 of 4 attempts are here\nthe direct turn waits: 3 of 4 attempts are here\n" in out
    assert "  sample 'sample-1' has 1 of 2\n" in out
    assert error == ""
    assert command("import_generations", run.pk)[0].startswith("the direct turn waits: 3 of 4 attempts are here\n")
    assert "sampling: waits for generations, 3 of 4 attempts are here" in command("run_status", run.pk)[0]
    out, _ = command("import_generations", run.pk, "--allow-missing")
    assert out == "0 generations imported, 3 of 4 attempts are here\nthe run goes on\n"


def test_a_bad_line_is_one_error(run: Run, tmp_path: Path) -> None:
    good, bad = result_file(tmp_path, "a.json", {"id": "sample-0", "result": "x"}), result_file(tmp_path, "b.json", {"id": "y"})
    with pytest.raises(
        Error, match=r"nothing was imported, a line cannot be used .*\nb\.json, line 1: field 'result' is missing"
    ):
        command("import_generations", run.pk, good, bad)
    out, error = command("import_generations", run.pk, good, bad, "--skip-errors")
    assert "1 generations imported" in out and "left out: b.json, line 1:" in error


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"nowhere\.json cannot be read: No such file"):
        command("import_generations", run.pk, tmp_path / "nowhere.json")
