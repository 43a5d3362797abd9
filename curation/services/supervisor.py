"""Start the servers and programs, restart what ends by itself, stop all in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Protocol, Self

from curation.services.errors import ServiceError
from curation.services.locking import FileLock
from curation.services.paths import Paths
from curation.services.postgres import EmbeddedPostgres
from curation.services.programs import BackOff, Program, ProgramChild
from curation.services.urls import named
from curation.services.valkey import EmbeddedValkey

TICK = 0.2  # seconds between two looks at the children


class Child(Protocol):
    """What the supervisor watches. `start` returns when it serves; `stop` when it is gone."""

    process: subprocess.Popen[bytes] | None

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


def print_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Supervisor:
    """One per var folder. Everything under it ends when the thread that started it ends, so drive it from the main thread.

    `run()` does all until SIGINT or SIGTERM. A caller with a loop of its own enters it as a context and calls `tick()` at
    least once a second. Not in charge of what the programs do, nor of servers that DATABASE_URL and REDIS_URL name.
    """

    def __init__(
        self,
        var: Path,
        programs: Iterable[Program] = (),
        *,
        environ: Mapping[str, str] = os.environ,
        say: Callable[[str], None] = print_line,
    ) -> None:
        self.paths = Paths(var)
        self.servers: list[Child] = []
        if named(environ, "DATABASE_URL") is None:
            self.servers.append(EmbeddedPostgres(self.paths))
        if named(environ, "REDIS_URL") is None:
            self.servers.append(EmbeddedValkey(self.paths))
        self.programs = [ProgramChild(program, self.paths.log) for program in programs]
        self._say = say
        self._lock = FileLock(self.paths.var / "supervisor.lock")
        self._started_at: dict[str, float] = {}  # by name: monotonic seconds
        self._restart_at: dict[str, float] = {}
        self._back_off: dict[str, BackOff] = {}
        self._signals = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def stopping(self) -> bool:
        """Whether a signal asked for the end (only under `run`)."""
        return self._signals > 0

    def start(self) -> None:
        """Start the servers, then the programs. Raises ServiceError, with everything stopped again."""
        self.paths.prepare()
        self._lock.acquire(
            wait=0.0,
            refusal=f"another supervisor (process {{pid}}) already runs on {self.paths.var}: stop it first, "
            "or set WHETSTONE_VAR to another folder.",
        )
        try:
            for child in (*self.servers, *self.programs):
                if not self.stopping:
                    self._start(child)
        except BaseException:
            self.stop()
            raise

    def add(self, program: Program) -> None:
        """Start one more program and watch it from now on; for what must wait until the servers stand."""
        child = ProgramChild(program, self.paths.log)
        self.programs.append(child)
        self._start(child)

    def tick(self) -> None:
        """Look at every child once; start again what ended, after its delay."""
        now = time.monotonic()
        for child in (*self.servers, *self.programs):
            if child.name in self._restart_at:
                if now >= self._restart_at[child.name]:
                    self._restart(child)
            elif child.process is not None and child.process.poll() is not None:
                self._note_end(child, now)

    def run(self, each_tick: Callable[[], None] | None = None) -> int:
        """Start, watch until SIGINT or SIGTERM, stop. Returns the exit status 0; a second signal stops without waiting."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.start()
            while not self.stopping:
                self.tick()
                if each_tick is not None:
                    each_tick()
                time.sleep(TICK)
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)
        return 0

    def stop(self) -> None:
        """Ask all programs to end, wait for each, then stop the servers: Valkey before Postgres."""
        asked_at = time.monotonic()
        for child in self.programs:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(child.program.stop_signal)
        for child in reversed(self.programs):
            self._await(child, asked_at + child.program.stop_seconds)
            child.stop()
        for server in reversed(self.servers):
            server.stop()
        self._restart_at.clear()
        with suppress(OSError):  # never there, or in use by servers that are not ours
            self.paths.sockets.rmdir()
        self._lock.release()

    def pids(self) -> dict[str, int | None]:
        """The process of every child by name; None while it is down."""
        children = (*self.servers, *self.programs)
        return {child.name: child.process.pid if child.process and child.process.poll() is None else None for child in children}

    def _start(self, child: Child) -> None:
        child.start()
        self._started_at[child.name] = time.monotonic()

    def _note_end(self, child: Child, now: float) -> None:
        assert child.process is not None
        status = child.process.returncode
        child.stop()  # ends what the leader left behind in its group
        if isinstance(child, ProgramChild) and not child.program.restart:
            self._say(f"{child.name} ended with status {status}")
            return
        delay = self._back_off.setdefault(child.name, BackOff()).delay_after(now - self._started_at[child.name])
        self._restart_at[child.name] = now + delay
        self._say(f"{child.name} ended with status {status}; next start in {delay:g} s; its log: {child.log}")

    def _restart(self, child: Child) -> None:
        try:
            self._start(child)
            del self._restart_at[child.name]
        except ServiceError as error:
            delay = self._back_off.setdefault(child.name, BackOff()).delay_after(0.0)
            self._restart_at[child.name] = time.monotonic() + delay
            self._say(f"{error}\n{child.name}: next try in {delay:g} s")

    def _await(self, child: ProgramChild, deadline: float) -> None:
        """Wait for a program that was asked to end; a second signal to us ends the wait."""
        while child.process is not None and child.process.poll() is None and time.monotonic() < deadline:
            if self._signals > 1:
                return
            time.sleep(0.02)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
