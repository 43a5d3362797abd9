"""Start a child that writes a log file, leads a session of its own, and does not outlive us; and end one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path

from curation.services.accounts import OURS, Account
from curation.services.errors import unwritable

STUB = Path(__file__).with_name("bind_to_parent.py")
LOG_BYTES = 16 * 2**20  # a longer log is put aside as NAME.log.1 at the next start


def launch(
    argv: Sequence[str],
    *,
    log: Path,
    death_signal: signal.Signals,
    account: Account = OURS,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `argv` with `death_signal` as its end if the calling *thread* ends, so call it from one that stays.

    `environ` is added to ours. `keep_open` are descriptors the child inherits.
    """
    with open_log(log) as output:
        return subprocess.Popen(
            bound(argv, death_signal=death_signal, account=account),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
            cwd=folder,
            pass_fds=tuple(keep_open),
            start_new_session=True,
        )


def bound(argv: Sequence[str], *, death_signal: signal.Signals, account: Account = OURS) -> list[str]:
    """`argv` as a command that gets `death_signal` when the thread ends that starts it; for those who call Popen themselves."""
    stub = [sys.executable, "-I", "-S", str(STUB), str(int(death_signal)), str(os.getpid()), account.becoming]
    return [*stub, *account.prefix, *argv]


def open_log(log: Path) -> BufferedWriter:
    """Open for appending, after putting a long one aside."""
    try:
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_name(log.name + ".1"))
        return log.open("ab")
    except OSError as error:
        raise unwritable(log, error) from error


def end(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> int:
    """Send each step's signal and wait its seconds; at last kill the whole session group. Returns the exit status."""
    for number, seconds in steps:
        if process.poll() is None:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
    kill_group(process)
    return process.wait()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the child's process group; the child itself may be gone already."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def log_size(log: Path) -> int:
    """In bytes; 0 where there is none yet. Taken before a start, it tells `log_text` where the start's lines begin."""
    return log.stat().st_size if log.exists() else 0


def log_text(log: Path, start: int) -> str:
    """What was written from byte `start` on (from the beginning, where the log was put aside since)."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(start if start <= log_size(log) else 0)
        return file.read().decode(errors="replace")
    return ""
