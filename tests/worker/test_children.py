"""Children of the worker, with small programs in the place of the trainer's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from worker.children import Child, ChildFailed, child_environment

pytestmark = pytest.mark.process

Start = Callable[[str], Child]
ECHO = "import sys\nfor line in sys.stdin: print(line.strip(), flush=True)"
FORKING = """
    import json, os, subprocess, sys, time
    heir = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(json.dumps({"heir": heir.pid}), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    """`start(program)` runs a Python program as a child, which the fixture ends."""
    children = []

    def begin(program: str) -> Child:
        argv = [sys.executable, "-c", textwrap.dedent(program)]
        children.append(Child(argv, name="the program", log=tmp_path / "child.log"))
        return children[-1]

    yield begin
    for child in children:
        child.end(patience=0)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(pid: int, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


def test_lines_go_both_ways(start: Start) -> None:
    child = start(ECHO)
    child.send({"text": "größer\u2028als"})
    assert next(child.lines()) == {"text": "größer\u2028als"}
    child.end()
    assert not child.alive


def test_failure_repeats_the_end_of_the_log_when_a_child_dies(start: Start, tmp_path: Path) -> None:
    (tmp_path / "child.log").write_text("of an earlier child\n")
    child = start("import sys; print('the model has no weights', file=sys.stderr); sys.exit(3)")
    assert list(child.lines()) == []
    with pytest.raises(
        ChildFailed, match=r"(?s)the program ended with status 3.*child\.log.*the model has no weights"
    ) as failure:
        child.finish()
    assert failure.value.exit_status == 3
    assert "earlier" not in str(failure.value)


def test_failure_names_the_signal_when_a_child_is_killed(start: Start) -> None:
    child = start("import time; time.sleep(60)")
    os.kill(child.pid, signal.SIGKILL)
    assert list(child.lines()) == []
    assert "SIGKILL" in str(child.failure())


def test_sending_fails_when_the_child_is_gone(start: Start) -> None:
    child = start("pass")
    assert list(child.lines()) == []
    with pytest.raises(ChildFailed, match="ended with status 0"):
        for _ in range(3):
            child.send({"text": "x" * 100_000})


def test_child_is_killed_when_it_says_what_is_no_json(start: Start) -> None:
    child = start("import time; print('Loading…', flush=True); time.sleep(60)")
    with pytest.raises(ChildFailed, match="no JSON object"):
        next(child.lines())
    assert not child.alive


def test_kill_takes_the_whole_group_along(start: Start) -> None:
    child = start(FORKING)
    heir = next(child.lines())["heir"]
    child.kill()
    assert not is_running(heir)


def test_group_ends_with_its_leader_when_the_leader_dies(start: Start) -> None:
    child = start(FORKING)
    lines = child.lines()
    heir = next(lines)["heir"]
    os.kill(child.pid, signal.SIGKILL)
    assert list(lines) == []
    wait_until_gone(heir)


def test_end_kills_a_child_that_does_not_listen(start: Start) -> None:
    child = start("import time; print('{}', flush=True); time.sleep(60)")
    next(child.lines())
    child.end(patience=0.1)
    assert not child.alive


@pytest.mark.chaos
def test_child_dies_with_its_worker_when_that_is_killed(tmp_path: Path) -> None:
    program = f"""
        import sys, time
        from pathlib import Path
        from worker.children import Child
        child = Child([sys.executable, "-c", "import time; time.sleep(60)"], name="x", log=Path({str(tmp_path / "x.log")!r}))
        print(child.pid, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        worker.kill()
    wait_until_gone(child)


def test_environment_holds_threads_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "SECRET_KEY", "REDIS_URL", "HF_TOKEN"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    environ = child_environment(threads=3)
    assert "secret" not in environ.values()
    assert environ["OMP_NUM_THREADS"] == "3"
    assert environ["HF_HUB_OFFLINE"] == "1"
    assert environ["CUDA_VISIBLE_DEVICES"] == "1"


def test_worker_loads_no_torch() -> None:
    program = "import sys, worker.app, worker.tasks; sys.exit(bool({'torch', 'transformers', 'vllm'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
