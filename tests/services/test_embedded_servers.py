"""The real servers: data survive a stop and any kill -9, and what cannot work is said in words."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from curation.services.accounts import account_for
from curation.services.errors import ServiceError
from curation.services.paths import Paths
from curation.services.postgres import EmbeddedPostgres, choose_installation
from curation.services.valkey import EmbeddedValkey

pytestmark = [pytest.mark.db]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root must become somebody else")


@pytest.fixture
def paths() -> Iterator[Paths]:
    """A var folder that other users may enter, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="whetstone-services-"))
    folder.chmod(0o755)
    paths = Paths(folder / "var")
    yield paths
    shutil.rmtree(folder)
    shutil.rmtree(paths.sockets, ignore_errors=True)


@pytest.fixture
def unmade(paths: Paths) -> Iterator[EmbeddedPostgres]:
    """A server that has no data yet."""
    server = EmbeddedPostgres(paths)
    yield server
    server.stop()


@pytest.fixture
def postgres(unmade: EmbeddedPostgres, with_data: Callable[[Paths], Paths]) -> EmbeddedPostgres:
    with_data(unmade.paths)
    return unmade


def remember(url: str, word: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [word])


def remembered(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM kept ORDER BY word")]


def test_postgres_keeps_data_over_a_restart(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    remember(postgres.url, "first")
    postgres.stop()
    assert not postgres.paths.postgres_socket.exists()
    postgres.start()
    assert remembered(postgres.url) == ["first"]


def test_new_database_is_in_utf8_and_listens_on_no_port(unmade: EmbeddedPostgres) -> None:
    unmade.start()
    with psycopg.connect(unmade.url) as connection:
        assert connection.info.server_version // 10_000 >= 15
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_postgres_recovers_when_its_postmaster_was_killed(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    remember(postgres.url, "before the kill")
    assert postgres.process is not None
    postgres.process.kill()
    postgres.process.wait()
    assert (postgres.paths.postgres_data / "postmaster.pid").exists()
    postgres.start()
    assert remembered(postgres.url) == ["before the kill"]


def test_postgres_starts_when_the_dead_servers_process_id_lives_again(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    assert postgres.process is not None
    postgres.process.kill()
    postgres.process.wait()
    pid_file = postgres.paths.postgres_data / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(postgres.process.pid), str(os.getppid()), 1))
    postgres.start()
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_half_made_data_folder_of_a_killed_initdb_is_replaced(unmade: EmbeddedPostgres) -> None:
    unmade.paths.prepare()
    half_made = unmade.paths.postgres / "new-12345"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    unmade.start()
    assert not half_made.exists()
    assert (unmade.paths.postgres_data / "PG_VERSION").exists()


def test_data_of_another_version_are_refused_with_the_way_out(unmade: EmbeddedPostgres) -> None:
    unmade.paths.prepare()
    unmade.paths.postgres_data.mkdir(mode=0o700)
    (unmade.paths.postgres_data / "PG_VERSION").write_text("12\n")
    with pytest.raises(ServiceError, match=r"made by PostgreSQL 12, but this system has: \d+(?s:.*)pg_dumpall(?s:.*)psql"):
        unmade.start()
    assert [path.name for path in unmade.paths.postgres_data.iterdir()] == ["PG_VERSION"]


def test_folder_that_is_no_data_folder_is_refused(unmade: EmbeddedPostgres) -> None:
    unmade.paths.prepare()
    unmade.paths.postgres_data.mkdir()
    with pytest.raises(ServiceError, match="is no Postgres data folder"):
        unmade.start()


def test_log_is_quoted_when_postgres_does_not_start(paths: Paths) -> None:
    server = EmbeddedPostgres(paths, settings={"max_connections": "many"})
    with pytest.raises(ServiceError, match=r"did not start(?s:.*)max_connections"):
        server.start()
    assert server.process is None


@AS_ROOT
def test_owner_of_the_data_runs_the_server_when_we_are_root(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    remember(postgres.url, "mine")
    postgres.stop()
    subprocess.run(["chown", "-R", "nobody:", str(postgres.paths.postgres_data)], check=True)
    account = account_for(postgres.paths.postgres_data)
    program = choose_installation(postgres.paths).program("postgres")
    if subprocess.run(["test", "-x", program], check=False, user=account.user, group=account.group).returncode:
        pytest.skip("nobody may not enter the folder of the Postgres that is installed here")
    postgres.start()
    assert postgres.process is not None
    assert Path(f"/proc/{postgres.process.pid}").stat().st_uid == account.user
    assert remembered(postgres.url) == ["mine"]


def test_disk_full_is_said_in_words(paths: Paths) -> None:
    script = (
        "import sys; from pathlib import Path; from curation.services.paths import Paths;"
        "from curation.services.postgres import EmbeddedPostgres; EmbeddedPostgres(Paths(Path(sys.argv[1]))).start()"
    )
    paths.var.mkdir()
    mount = f"mount -t tmpfs -o size=8m tmpfs {paths.var} || exit 77; exec {sys.executable} -c '{script}' {paths.var}"
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", mount], check=False, capture_output=True, text=True)
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("no mount in a user namespace here")
    assert "is full (" in done.stderr
    assert "free some space" in done.stderr.lower()
    assert done.returncode != 0


def test_valkey_keeps_messages_over_a_restart_and_a_kill(paths: Paths) -> None:
    server = EmbeddedValkey(paths)
    try:
        for how in ("stop", "kill"):
            server.start()
            with redis.Redis.from_url(server.client_url) as client:
                client.rpush("queue", how)
            if how == "kill":
                assert server.process is not None
                server.process.kill()
                server.process.wait()
            else:
                server.stop()
        server.start()
        with redis.Redis.from_url(server.client_url) as client:
            assert client.lrange("queue", 0, -1) == [b"stop", b"kill"]
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    finally:
        server.stop()


@pytest.mark.chaos
def test_servers_end_by_themselves_and_keep_data_when_their_parent_is_killed(
    paths: Paths, with_data: Callable[[Paths], Paths]
) -> None:
    with_data(paths)
    script = (
        "import sys, time; from pathlib import Path; from curation.services.paths import Paths;"
        "from curation.services.postgres import EmbeddedPostgres; from curation.services.valkey import EmbeddedValkey;"
        "paths = Paths(Path(sys.argv[1])); servers = [EmbeddedPostgres(paths), EmbeddedValkey(paths)];"
        "[s.start() for s in servers]; print(*(s.process.pid for s in servers), flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(paths.var)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        pids = [int(word) for word in parent.stdout.readline().split()]
    remember(paths.postgres_url, "kept")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    postgres = EmbeddedPostgres(paths)
    postgres.start()  # waits for the dying server, then takes over
    try:
        assert remembered(paths.postgres_url) == ["kept"]
        deadline = time.monotonic() + 10
        while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(_alive(pid) for pid in pids)
        assert "database system is shut down" in postgres.log.read_text()
    finally:
        postgres.stop()


def _alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()
