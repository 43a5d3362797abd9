"""The supervisor with real servers and programs: start, restart, refusal, order of the end, death with the parent."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from curation.services.errors import ServiceError
from curation.services.paths import Paths
from curation.services.programs import Program
from curation.services.supervisor import Supervisor

pytestmark = pytest.mark.process
ELSEWHERE = {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://broker"}
SLEEP = (sys.executable, "-S", "-c", "import time; time.sleep(600)")


class Said(list[str]):
    """What a supervisor said."""


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def supervise(tmp_path: Path, said: Said) -> Iterator[Callable[..., Supervisor]]:
    """Make a supervisor of some programs without servers; it is stopped at the end."""
    made: list[Supervisor] = []

    def make(*programs: Program) -> Supervisor:
        made.append(Supervisor(tmp_path / "var", programs, environ=ELSEWHERE, say=said.append))
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.stop()


def tick_until(supervisor: Supervisor, condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        supervisor.tick()
        time.sleep(0.02)


def gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


def await_end(pids: list[int], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not all(gone(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return all(gone(pid) for pid in pids)


def test_no_server_is_started_when_the_environment_names_both(supervise: Callable[..., Supervisor]) -> None:
    with supervise(Program("sleeper", SLEEP)) as supervisor:
        assert list(supervisor.pids()) == ["sleeper"]


def test_killed_program_is_started_again_after_its_delay(supervise: Callable[..., Supervisor], said: Said) -> None:
    supervisor = supervise(Program("sleeper", SLEEP))
    supervisor.start()
    first = supervisor.pids()["sleeper"]
    assert supervisor.programs[0].process is not None
    supervisor.programs[0].process.kill()
    tick_until(supervisor, lambda: supervisor.pids()["sleeper"] not in (None, first))
    assert "sleeper ended with status -9; next start in 0.5 s" in said[0]


def test_program_without_restart_is_left_after_its_end(supervise: Callable[..., Supervisor], said: Said) -> None:
    supervisor = supervise(Program("once", (sys.executable, "-S", "-c", "print('done')"), restart=False))
    supervisor.start()
    tick_until(supervisor, lambda: bool(said))
    assert said == ["once ended with status 0"]
    assert (supervisor.paths.log / "once.log").read_text() == "done\n"


def test_program_that_does_not_exist_is_told_in_its_log(supervise: Callable[..., Supervisor], said: Said) -> None:
    supervisor = supervise(Program("typo", ("no-such-program",), restart=False))
    supervisor.start()
    tick_until(supervisor, lambda: bool(said))
    assert said == ["typo ended with status 127"]
    assert "cannot run no-such-program: No such file" in (supervisor.paths.log / "typo.log").read_text()


def test_rest_of_a_programs_group_ends_with_its_leader(supervise: Callable[..., Supervisor], tmp_path: Path, said: Said) -> None:
    pid_file = tmp_path / "pid"
    supervisor = supervise(Program("shell", ("sh", "-c", f"sleep 600 & echo $! > {pid_file}; exit 3"), restart=False))
    supervisor.start()
    tick_until(supervisor, lambda: bool(said))
    assert await_end([int(pid_file.read_text())])


def test_program_that_ignores_its_signal_is_killed_after_its_seconds(supervise: Callable[..., Supervisor]) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    supervisor = supervise(Program("deaf", (sys.executable, "-S", "-c", deaf), stop_seconds=0.3))
    supervisor.start()
    pid = supervisor.pids()["deaf"]
    tick_until(supervisor, lambda: (supervisor.paths.log / "deaf.log").read_text() == "deaf\n")
    before = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - before < 3
    assert pid is not None
    assert gone(pid)


def test_second_supervisor_of_a_var_folder_is_refused(supervise: Callable[..., Supervisor]) -> None:
    first = supervise(Program("sleeper", SLEEP))
    first.start()
    with pytest.raises(ServiceError, match=r"another supervisor \(process \d+\) already runs on .*var"):
        supervise().start()
    first.stop()
    with supervise() as second:
        assert second.pids() == {}


@pytest.mark.db
def test_killed_postgres_is_started_again_and_keeps_its_data(
    tmp_path: Path, said: Said, with_data: Callable[[Paths], Paths]
) -> None:
    with_data(Paths(tmp_path / "var"))
    with Supervisor(tmp_path / "var", environ={}, say=said.append) as supervisor:
        url = supervisor.paths.postgres_url
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        first = supervisor.pids()["postgres"]
        assert supervisor.servers[0].process is not None
        supervisor.servers[0].process.kill()
        tick_until(supervisor, lambda: supervisor.pids()["postgres"] not in (None, first), seconds=60)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)
    assert not supervisor.paths.sockets.exists()


RUN = """
import sys
from pathlib import Path
from curation.services.programs import Program
from curation.services.supervisor import Supervisor
sleeper = Program("sleeper", (sys.executable, "-S", "-c", "import time; time.sleep(600)"))
supervisor = Supervisor(Path(sys.argv[1]), [sleeper], environ={})
told = []
def tell():
    if not told:
        told.append(1)
        print(*supervisor.pids().values(), flush=True)
sys.exit(supervisor.run(tell))
"""


@pytest.fixture
def running(tmp_path: Path, with_data: Callable[[Paths], Paths]) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A supervisor in a process of its own with both servers and a program, and their process ids."""
    with_data(Paths(tmp_path / "var"))
    with subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path / "var")], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, [int(word) for word in process.stdout.readline().split()]
        process.kill()


@pytest.mark.db
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_all_end_within_seconds_when_the_supervisor_is_asked_to(
    running: tuple[subprocess.Popen[str], list[int]], tmp_path: Path, number: signal.Signals
) -> None:
    process, pids = running
    process.send_signal(number)
    assert process.wait(15) == 0
    assert len(pids) == 3
    assert all(gone(pid) for pid in pids)
    assert "database system is shut down" in (tmp_path / "var/log/postgres.log").read_text()


@pytest.mark.db
@pytest.mark.chaos
def test_all_end_by_themselves_when_the_supervisor_is_killed(
    running: tuple[subprocess.Popen[str], list[int]], tmp_path: Path
) -> None:
    process, pids = running
    with psycopg.connect(Paths(tmp_path / "var").postgres_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    process.kill()
    process.wait()
    assert len(pids) == 3
    assert await_end(pids)
    with Supervisor(tmp_path / "var", environ={}) as supervisor, psycopg.connect(supervisor.paths.postgres_url) as connection:
        assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)
