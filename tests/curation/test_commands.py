"""The commands: what they print, and the one line they fail with."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import DiskFull

from django.core.management import call_command
from django.core.management.base import OutputWrapper
from django.db import OperationalError, connection

from curation.management.command import Error, Progress, StageCommand, assignments
from curation.models import Base, DatasetRevision, Engine, Iteration, Project, Run, Team
from curation.models.runs import RunState
from curation.stages.errors import InputError
from toolcalls.answers import Call
from toolcalls.exporting import sample_line

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def command(*words: Any) -> tuple[str, str]:
    """(standard output, standard error) of `manage.py WORDS`."""
    out, error = io.StringIO(), io.StringIO()
    call_command(*map(str, words), stdout=out, stderr=error)
    return out.getvalue(), error.getvalue()


@pytest.fixture
def pool_file(tmp_path: Path, make_samples: Callable[..., Any]) -> Path:
    path = tmp_path / "pool.jsonl"
    path.write_text("\n".join(map(sample_line, make_samples())))
    return path


def test_import_says_what_the_revision_holds(project: Project, pool_file: Path) -> None:
    out, error = command("import_dataset", pool_file, "--project", "tools/weather", "--dataset", "Pool")
    assert "Pool: new revision 1 with 8 samples to train on and 4 held out (12 call tools, 0 do not)" in out
    assert "rows 12, new 12, duplicates 0, left out 0" in out
    assert DatasetRevision.objects.get().sha256 in out
    assert error == ""
    again, _ = command("import_dataset", pool_file, "--project", "tools/weather", "--dataset", "Pool")
    assert "nothing new: still revision 1" in again


def test_import_makes_team_and_project_when_asked_to(db: None, pool_file: Path) -> None:
    words = ("import_dataset", pool_file, "--project", "new-team/new-project", "--dataset", "Pool")
    with pytest.raises(Error, match="no project 'new-team/new-project'"):
        command(*words)
    assert not Team.objects.exists()
    command(*words, "--create")
    assert Project.objects.get().team.slug == "new-team"


def test_failed_import_makes_no_team(db: None, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{")
    with pytest.raises(Error, match="line 1: not valid JSON"):
        command("import_dataset", tmp_path / "bad.jsonl", "--project", "new/new", "--dataset", "Pool", "--create")
    assert not Team.objects.exists()


def test_import_warns_when_nothing_is_held_out(project: Project, pool_file: Path) -> None:
    words = ("import_dataset", pool_file, "--project", "tools/weather", "--dataset", "Pool")
    _, error = command(*words, "--split", "train")
    assert "No sample is held out" in error


def test_import_lists_what_it_left_out(project: Project, pool_file: Path) -> None:
    pool_file.write_text(pool_file.read_text() + "\n{\n")
    words = ("import_dataset", pool_file, "--project", "tools/weather", "--dataset", "Pool")
    with pytest.raises(Error, match="1 of 13 rows cannot be used") as refused:
        command(*words)
    assert refused.value.returncode == 1
    out, error = command(*words, "--skip-errors")
    assert "left out 1" in out
    assert "left out: line 13: not valid JSON" in error


def test_import_names_truths_that_break_their_tools(project: Project, tmp_path: Path, make_sample: Callable[..., Any]) -> None:
    broken = [make_sample(number, truth=(Call("get_weather", {"town": "Rome"}),)) for number in range(7)]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(sample_line, broken)))
    _, error = command("import_dataset", tmp_path / "pool.jsonl", "--project", "tools/weather", "--dataset", "Pool")
    assert "7 rows call tools in a way that the tools' descriptions do not allow; look at them in review:" in error
    assert "  line 5: sample 'sample-4': 'get_weather' has no parameter 'town'" in error and "line 6:" not in error


def test_base_and_engine_are_registered(db: None, make_model_folder: Callable[..., Path]) -> None:
    out, _ = command("register_base", "tiny", make_model_folder())
    assert Base.objects.get().sha256 in out
    command("register_engine", "fast", "transformers", "--option", "rows=64", "--option", "device=cpu")
    assert Engine.objects.get().options == {"rows": 64, "device": "cpu"}
    with pytest.raises(Error, match="has no option cache"):
        command("register_engine", "other", "vllm", "--option", "cache.share=0.5")


def test_base_that_is_no_model_is_one_line(model_root: Path, db: None) -> None:
    (model_root / "empty").mkdir()
    with pytest.raises(Error, match=r"has no config.json: it is no Hugging Face model folder; give the folder that holds it"):
        command("register_base", "tiny", model_root / "empty")


@pytest.fixture
def start(make_dataset: Callable[..., Any], base: Base, engine: Engine) -> Callable[..., str]:
    """`start("--set", "k=2")`: what start_run printed."""
    make_dataset()

    def begin(*words: str, dataset: str = "weather", base: str = "tiny", engine: str = "scripted") -> str:
        things = ("--project", "tools/weather", "--dataset", dataset, "--base", base, "--engine", engine)
        return command("start_run", *things, *words)[0]

    return begin


def test_start_run_prints_its_id_and_takes_settings(start: Callable[..., str]) -> None:
    printed = start("--name", "first", "--set", "k=4", "--set", "training.learning_rate=2e-3", "--set", "prompts=fixed")
    run = Run.objects.get()
    assert printed == f"{run.pk}\n"
    assert (run.state, run.name, run.mode) == (RunState.RUNNING, "first", "auto")
    assert (run.choices.k, run.choices.training.learning_rate, run.choices.prompts) == (4, 0.002, "fixed")


@pytest.mark.parametrize(
    ("words", "names", "problem"),
    [
        (("--set", "kk=4"), {}, "kk: no such setting; did you mean k"),
        (("--set", "k=four"), {}, "k: a whole number expected, not 'four'"),
        (("--set", "k"), {}, "--set k: write it as name=value"),
        (("--revision", "9"), {}, "has no revision 9; it has 1"),
        ((), {"dataset": "nothing"}, "no data set 'nothing'; there are: weather"),
        ((), {"base": "nothing"}, "base 'nothing' is not registered; there are: tiny"),
        ((), {"engine": "nothing"}, "engine 'nothing' is not registered; there are: scripted"),
    ],
)
def test_start_run_says_what_is_wrong(start: Callable[..., str], words: Any, names: dict[str, str], problem: str) -> None:
    with pytest.raises(Error, match=problem):
        start(*words, **names)
    assert not Run.objects.exists()


def test_start_iteration_needs_a_run_that_waits(start: Callable[..., str]) -> None:
    number = start("--mode", "step").strip()
    with pytest.raises(Error, match="is running already; it becomes running only from waiting"):
        command("start_iteration", number)
    Iteration.objects.update(state="done")
    Run.objects.update(state=RunState.WAITING)
    assert command("start_iteration", number)[0] == f"run {number}: iteration 1 has begun\n"


def test_change_run_pauses_resumes_and_stops(start: Callable[..., str]) -> None:
    number = start().strip()
    for action, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        assert command("change_run", number, action)[0] == f"run {number} is {state}\n"
    with pytest.raises(Error, match="is stopped"):
        command("change_run", number, "retry")


def test_change_run_approves_only_a_review_that_waits(start: Callable[..., str]) -> None:
    number = start().strip()
    with pytest.raises(Error, match="review"):
        command("change_run", number, "approve")
    command("change_run", number, "stop", "--why", "enough")
    with pytest.raises(Error, match="no review waits"):
        command("change_run", number, "approve")
    assert Run.objects.get().why == "enough"


def test_run_status_shows_the_stage_and_the_table(start: Callable[..., str]) -> None:
    number = start("--set", "shard_samples=2").strip()
    out, _ = command("run_status", number)
    assert f"run {number} (weather r1 on tiny): running" in out
    assert "iteration 0, evaluation: 0 of 2 shards done, 0 being worked on" in out
    assert "held-out adaptive" in out


def test_run_status_as_json_is_the_table(start: Callable[..., str]) -> None:
    status = json.loads(command("run_status", start().strip(), "--json")[0])
    assert status["state"] == "running"
    assert [row["iteration"] for row in status["iterations"]] == [0]


def test_run_status_stops_watching_a_run_that_ended(start: Callable[..., str]) -> None:
    number = start().strip()
    Run.objects.update(state=RunState.STOPPED)
    assert command("run_status", number, "--watch", "--every", "0")[0].count("stopped") == 1


def test_unknown_run_is_one_line(start: Callable[..., str]) -> None:
    with pytest.raises(Error, match="run 999999999 does not exist; there is none yet"):
        command("run_status", 999999999)
    number = start().strip()
    with pytest.raises(Error, match=f"the last ones are {number}"):
        command("run_status", 999999999)


def test_export_of_an_iteration_without_rows_is_one_line(start: Callable[..., str]) -> None:
    number = start().strip()
    with pytest.raises(Error, match="iteration 0 only evaluates the base"):
        command("export_dataset", number, 0)
    with pytest.raises(Error, match="has no iteration 3; its last is 0"):
        command("export_dataset", number, 3)


def test_database_that_does_not_answer_is_one_line() -> None:
    class Asking(StageCommand):
        def run(self, **_: Any) -> None:
            raise OperationalError("connection refused\nIs the server running?")

    with pytest.raises(Error, match=r"does not answer \(connection refused\); start it with `manage.py supervise`"):
        Asking().handle()


def test_database_without_room_is_one_line() -> None:
    class Asking(StageCommand):
        def run(self, **_: Any) -> None:
            raise OperationalError("could not extend file: No space left on device") from DiskFull()

    with pytest.raises(Error, match=r"run out of room \(could not extend file: No space left on device\); free some disk"):
        Asking().handle()


def test_interrupted_command_ends_quietly() -> None:
    class Asking(StageCommand):
        def run(self, **_: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(SystemExit, match="130"):
        Asking().handle()


def test_database_without_our_tables_is_one_line(db: None) -> None:
    class Asking(StageCommand):
        def run(self, **_: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM nowhere")

    with pytest.raises(Error, match=r"run `manage.py migrate`"):
        Asking().handle()


def test_assignments_are_json_where_they_can_be() -> None:
    words = ["a=1", "b=x", "c=true", "d=[1, 2]", "e.f=1e-4", "e.g=", "h==", 'i="1"']
    assert assignments(words, "--set") == {
        "a": 1, "b": "x", "c": True, "d": [1, 2], "e": {"f": 1e-4, "g": ""}, "h": "=", "i": "1",
    }  # fmt: skip


@pytest.mark.parametrize("words", [["a"], ["=1"], ["a..b=1"], ["a=1", "a=2"], ["a=1", "a.b=2"]])
def test_assignments_that_cannot_be_read_are_refused(words: list[str]) -> None:
    with pytest.raises(InputError, match="--set"):
        assignments(words, "--set")


def test_progress_is_quiet_for_two_seconds() -> None:
    stream = io.StringIO()
    progress = Progress(stream, "rows")
    progress(500)
    progress.close()
    assert stream.getvalue() == ""


def test_progress_of_what_takes_longer_is_a_count_and_a_rate() -> None:
    stream = io.StringIO()
    progress = Progress(OutputWrapper(stream), "rows")
    progress.began -= 10
    progress.written -= 10
    progress(5000)
    progress(5000)
    progress.close()
    assert stream.getvalue() == "5,000 rows, 500/s\n"


def test_progress_ends_with_the_last_count_of_all() -> None:
    stream = io.StringIO()
    progress = Progress(OutputWrapper(stream), "items", of=1000)
    progress.began -= 50
    progress.written -= 10
    progress(84)
    progress(1000)
    progress.close()
    assert stream.getvalue() == "84 of 1,000 items, 1.7/s\n1,000 of 1,000 items, 20/s\n"
