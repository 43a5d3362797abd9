"""The whole site under one process: servers, web, workers and the reconciler (manage.py supervise and demo)."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn, Self

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from curation import environment
from curation.services.errors import ServiceError, unwritable
from curation.services.programs import Program
from curation.services.supervisor import Supervisor
from curation.stages.reconciling import Reconciler

TICK = 0.2  # seconds between two looks at the programs
PORTS_TRIED = 100  # from WEB_PORT upwards
RECONCILER_STOP = 5.0  # seconds for the reconciler to end what it is at
WORKER_STOP = 20.0  # seconds for a worker to give its shard back and end its engine


def wanted_port() -> int:
    """WEB_PORT. Raises ServiceError when it is no port."""
    said = environment.text("WEB_PORT", "8000")
    if not said.isdecimal() or not 0 < int(said) < 65536:
        raise ServiceError(f"WEB_PORT is {said!r}; it must be a port, 1 to 65535")
    return int(said)


def free_port(wanted: int, host: str) -> int:
    """`wanted`, or the next port that nobody listens on. Raises ServiceError when there is none among PORTS_TRIED."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise ServiceError(f"no free port from {wanted} on at {host}; set WEB_PORT to another one")


def log_into(name: str) -> None:
    """Write this process's log into var/log instead of among what is said on the screen."""
    folder = Path(settings.VAR) / "log"
    line = "%(asctime)s %(levelname)s %(name)s %(message)s"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        logging.basicConfig(filename=folder / f"{name}.log", level=logging.getLogger().level, format=line, force=True)
    except OSError as error:
        raise unwritable(folder, error) from error


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Inside, SIGTERM ends the main thread's work as Ctrl-C does: with KeyboardInterrupt."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Site:
    """Entered, it runs; left, everything has ended. Its owner calls `tick()` at least once a second, from the main thread.

    Not in charge of what the workers do, nor of servers that DATABASE_URL and REDIS_URL name.
    """

    def __init__(
        self,
        *,
        workers: int,
        port: int,
        host: str = "127.0.0.1",
        devices: Sequence[str] = (),
        say: Callable[[str], None],
    ) -> None:
        """`devices`: a group for each worker, as its option --devices wants it. Without any, `workers` share what there is."""
        self.groups = list(devices) or [""] * workers
        self.workers, self.host, self._say = len(self.groups), host, say
        self.port = free_port(port, host)
        self._wanted_port = port
        self._supervisor = Supervisor(settings.VAR, say=say)
        self._reconciler = Reconciler()

    @property
    def logs(self) -> Path:
        return self._supervisor.paths.log

    @property
    def url(self) -> str:
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._supervisor.start()
        try:
            call_command("migrate", interactive=False, verbosity=0)
            for program in (self._web(), *map(self._worker, range(1, self.workers + 1))):
                self._supervisor.add(program)
            self._reconciler.start()
        except BaseException:
            self._stop()
            raise
        if self.port != self._wanted_port:
            self._say(f"port {self._wanted_port} is taken, so the site is on {self.port} (WEB_PORT chooses another)")
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def tick(self) -> None:
        """Start again what ended by itself."""
        self._supervisor.tick()

    def watch_over(self) -> NoReturn:
        """Tick until KeyboardInterrupt."""
        while True:
            self.tick()
            time.sleep(TICK)

    def _stop(self) -> None:
        """A second signal must not leave servers behind, so signals are not heard while all ends."""
        before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._reconciler.stop()
            if self._reconciler.is_alive():
                self._reconciler.join(RECONCILER_STOP)
            connection.close()
            self._supervisor.stop()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _web(self) -> Program:
        serve = ("--interface", "asginl", "--host", self.host, "--port", str(self.port))
        patience = ("--workers-kill-timeout", "3")
        return Program(
            "web",
            (sys.executable, "-m", "granian", *serve, *patience, "curation.asgi:application"),
            environ={"DATABASE_POOL": "1", "SITE_URL": os.environ.get("SITE_URL", self.url)},
            folder=Path(settings.BASE_DIR),
            stop_seconds=8.0,
        )

    def _worker(self, number: int) -> Program:
        group = self.groups[number - 1]
        options = (
            "-P",
            "threads",
            "-c",
            "1",
            "-Q",
            "celery",
            "-n",
            f"worker-{number}@%h",
            "--without-gossip",
            "--without-mingle",
            *(("--devices", group) if group else ()),
        )
        return Program(
            f"worker-{number}",
            (sys.executable, "-m", "celery", "-A", "worker.app", "worker", *options),
            folder=Path(settings.BASE_DIR),
            stop_seconds=WORKER_STOP,
        )
