"""The servers and the workers that faults befall, all on one folder and under this process."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from curation.services.launching import end, kill_group, launch
from curation.services.paths import Paths
from curation.services.postgres import EmbeddedPostgres
from curation.services.valkey import EmbeddedValkey

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ("-P", "threads", "-c", "1", "-Q", "celery", "--without-gossip", "--without-mingle")


class Worker:
    """One worker process. What it writes goes to var/log/worker-N.log. `devices` as its option --devices wants them."""

    def __init__(self, number: int, logs: Path, devices: str = "") -> None:
        self.name, self.devices = f"worker-{number}", devices
        command = [sys.executable, "-m", "celery", "-A", "worker.app", "worker", *OPTIONS, "-n", f"{self.name}@%h"]
        command += ["--devices", devices] if devices else []
        log = logs / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] = launch(command, log=log, death_signal=signal.SIGKILL, folder=ROOT)
        self.owner = f"{socket.gethostname()}:{self.process.pid}"  # as its claims are signed

    def kill(self) -> None:
        """kill -9."""
        kill_group(self.process)
        self.process.wait()

    def leave(self) -> None:
        """SIGTERM: it gives its shard back."""
        end(self.process, (signal.SIGTERM, 20.0))

    def stand_still(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class Site:
    """Postgres, Valkey and so many workers, each of which owns so many made-up devices; entered, they run.

    Not in charge of what goes wrong: bench.chaos.faults.
    """

    def __init__(self, var: Path, workers: int, devices: int = 0) -> None:
        paths = Paths(var)
        self.postgres, self.valkey = EmbeddedPostgres(paths), EmbeddedValkey(paths)
        self.workers: list[Worker] = []
        self._hired: list[Worker] = []  # ever
        self._devices = devices
        self._wanted, self._logs, self._numbers = workers, paths.log, itertools.count(1)
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            for server in (self.postgres, self.valkey):
                server.start()
                ends.callback(server.stop)
            ends.callback(self._end_workers)
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def hire(self) -> None:
        """Bring the workers to the number wanted."""
        while len(self.workers) < self._wanted:
            self.workers.append(Worker(next(self._numbers), self._logs, self._free_devices()))
            self._hired.append(self.workers[-1])

    def _free_devices(self) -> str:
        """The first group that no process has, also none that stands still."""
        if not self._devices:
            return ""
        taken = {worker.devices for worker in self._hired if worker.process.poll() is None}
        starts = itertools.count(0, self._devices)
        groups = (",".join(str(start + number) for number in range(self._devices)) for start in starts)
        return next(group for group in groups if group not in taken)

    def restart_postgres(self, *, kill: bool) -> None:
        if kill and self.postgres.process is not None:
            os.kill(self.postgres.process.pid, signal.SIGKILL)
        self.postgres.stop()
        self.postgres.start()

    def restart_valkey(self, away: float) -> None:
        """kill -9, and a start `away` seconds later."""
        assert self.valkey.process is not None
        kill_group(self.valkey.process)
        time.sleep(away)
        self.valkey.stop()
        self.valkey.start()

    def _end_workers(self) -> None:
        for worker in self.workers:
            worker.kill()
