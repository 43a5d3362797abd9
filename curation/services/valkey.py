"""The embedded Valkey (Redis's open successor): messages only, so that losing it loses nothing that Postgres does not know."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import redis

from curation.services.binaries import valkey_server
from curation.services.errors import server_failed
from curation.services.launching import end, launch, log_size, log_text
from curation.services.locking import FileLock
from curation.services.paths import Paths
from curation.services.urls import client_url


class EmbeddedValkey:
    """One server on var/valkey with an append-only file. It ends with the thread that started it."""

    name = "valkey"

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.process: subprocess.Popen[bytes] | None = None
        self._lock = FileLock(paths.valkey / "lock")

    @property
    def url(self) -> str:
        """In Celery's form."""
        return self.paths.valkey_url

    @property
    def client_url(self) -> str:
        """In redis-py's form."""
        return client_url(self.url)

    @property
    def log(self) -> Path:
        return self.paths.log / "valkey.log"

    def start(self, *, timeout: float = 60.0) -> None:
        """Start, and return when it answers (`timeout` in seconds). Raises ServiceError."""
        self.paths.prepare()
        lock = self._lock.acquire(wait=30.0, refusal=f"Valkey already runs on {self.paths.valkey} (process {{pid}})")
        try:
            self._launch(lock, timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Write out and end; the hard way after 10 s. Does nothing when not running."""
        if self.process is not None:
            end(self.process, (signal.SIGTERM, 10.0))
            self.process = None
        self._lock.release()

    def _launch(self, lock: int, timeout: float) -> None:
        start = log_size(self.log)
        self.process = launch(self._command(), log=self.log, death_signal=signal.SIGTERM, keep_open=[lock])
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise server_failed("Valkey", self.log, log_text(self.log, start))
            time.sleep(0.02)

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.paths.valkey_socket),
            "unixsocketperm": "700",
            "dir": str(self.paths.valkey),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        return [valkey_server(), *(word for name, value in options.items() for word in (f"--{name}", value))]

    def _answers(self) -> bool:
        try:
            with closing(redis.Redis.from_url(self.client_url, socket_connect_timeout=1, socket_timeout=1)) as client:
                return bool(client.ping())
        except (redis.RedisError, OSError):  # not there yet, or still reading its file
            return False
