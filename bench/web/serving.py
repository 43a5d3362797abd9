"""What a bench of the site needs: a seeded Postgres of its own, the site's web server on it, and what they cost in CPU time."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

from curation.services.paths import Paths
from curation.services.postgres import EmbeddedPostgres

TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def database(**size: int) -> Iterator[tuple[Any, int]]:
    """A migrated Postgres, in a folder that is gone afterwards, with one seeded run in it; and its process id.

    `size` are the arguments of bench.web.seeding.seed.
    """
    folder = Path(tempfile.mkdtemp(prefix="whetstone-bench-"))
    server = EmbeddedPostgres(Paths(folder))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "curation.settings", "WHETSTONE_VAR": str(folder), "DATABASE_URL": server.url,
        "LOG_LEVEL": "WARNING", "ALLOWED_HOSTS": "127.0.0.1", "SECRET_KEY": "of no use outside the benchmark",
    }  # fmt: skip
    server.start()
    try:
        assert server.process is not None
        django.setup()
        call_command("migrate", verbosity=0)
        from bench.web.seeding import seed

        yield seed(**size), server.process.pid
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def vacuum() -> None:
    """What Postgres does by itself some time after rows were written: statistics, and which pages all may see."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


@dataclass(frozen=True, slots=True)
class Server:
    """The site's web server, started as `manage.py supervise` starts it."""

    port: int
    pid: int

    def memory(self) -> int:
        """MiB that it and its workers hold."""
        return sum(_resident(pid) for pid in family(self.pid)) // 1024


@contextmanager
def web_server() -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--port", str(port), "curation.asgi:application"]
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_POOL": "1"})
    try:
        _await(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _await(port: int) -> None:
    """Return when the server listens and has answered once."""
    for _ in range(300):
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                break
        time.sleep(0.1)
    first = http.client.HTTPConnection("127.0.0.1", port)
    first.request("GET", "/health/")
    first.getresponse().read()


def family(pid: int) -> list[int]:
    """A process and those that it started, down to the last."""
    return [pid, *(each for child in _children(pid) for each in family(child))]


def cpu_seconds(pid: int) -> float:
    """What a process, those that it started, and those of them that have ended have computed until now."""
    return sum(_cpu(each) + _ended_children(each) for each in family(pid))


def _cpu(pid: int) -> float:
    """The clock of another process, threads that have ended included; exact, where /proc counts in hundredths of a second."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0  # it has just ended


def _ended_children(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[13]) + int(fields[14])) / TICKS


def machine_seconds() -> float:
    """What all processes of the machine have computed since it was started."""
    user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system) / TICKS


def _resident(pid: int) -> int:
    """KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _children(pid: int) -> list[int]:
    """Of all of its threads."""
    try:
        return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
    except OSError:
        return []
