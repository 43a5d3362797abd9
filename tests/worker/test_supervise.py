"""The whole site from one command: it serves, it stops, and it leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.db, pytest.mark.chaos]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`manage.py supervise` on a var folder of its own, whose first port is taken."""
    ours = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    command = [sys.executable, "manage.py", "supervise", "--workers", "1"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environ = {**ours, "WHETSTONE_VAR": str(tmp_path), "WEB_PORT": str(taken.getsockname()[1])}
        process = subprocess.Popen(command, cwd=PROJECT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        yield process
    process.kill()
    process.communicate()


def address(site: subprocess.Popen[str]) -> str:
    """Where it says that it runs, after it has said that the port it wanted is taken."""
    assert site.stdout is not None
    assert re.match(r"port \d+ is taken, so the site is on \d+", site.stdout.readline())
    for line in site.stdout:
        if found := re.search(r"runs at (http://\S+)", line):
            return found[1]
    raise AssertionError("it ended without a word")


def answer(url: str, seconds: float = 30.0) -> str:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)


def processes_of(var: Path) -> list[str]:
    """Command lines of the processes that run with this var folder."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if f"WHETSTONE_VAR={var}".encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_text())
            except OSError:
                continue
    return found


def wait_until_alone(var: Path, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while left := processes_of(var):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_site_serves_on_the_next_free_port_and_ends_when_asked(site: subprocess.Popen[str], tmp_path: Path) -> None:
    url = address(site)
    assert answer(f"{url}/health/") == "ok\n"
    assert "<form" in answer(f"{url}/sign-in/")
    site.send_signal(signal.SIGTERM)
    assert site.wait(40) == 0
    wait_until_alone(tmp_path)


def test_everything_ends_when_the_supervisor_is_killed(site: subprocess.Popen[str], tmp_path: Path) -> None:
    answer(f"{address(site)}/health/")
    site.kill()
    site.wait()
    wait_until_alone(tmp_path)
