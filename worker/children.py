"""Child processes that do the heavy work, spoken to by lines of JSON: `python -m trainer serve` and `python -m trainer train`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from curation.services.accounts import OURS
from curation.services.launching import STUB, kill_group, open_log
from trainer.engines.protocol import EngineError

TAIL_LINES = 12  # of a dead child's log, for the words of its failure
TAIL_BYTES = 4096
GONE_SECONDS = 30.0  # for the processes of a killed group to end; one that waits for a device's driver takes a while
EXIT_INPUT = 2  # what `python -m trainer` answers when the user must act
PASSED_ON = (
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "OMP_WAIT_POLICY",
    "PYTHONPATH",
    "CC",
    "CXX",
)
PASSED_ON_PREFIXES = ("CUDA_", "NVIDIA_", "NCCL_", "HF_", "HIP_", "MALLOC_", "ROCR_", "TORCH", "TRITON_", "VLLM_", "XDG_")

# Bytes. glibc gives every large tensor back to the kernel when it is freed, and is given it anew, page by page, at the next
# step; kept, an evaluation on a CPU has 0.46 of 1.1 million page faults and takes 5 % less time.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": 32 * 2**20, "MALLOC_TRIM_THRESHOLD_": 256 * 2**20, "MALLOC_TOP_PAD_": 16 * 2**20}

# The kernel ties a child's life to the *thread* that forked it, so every child is forked by this one, which never ends.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


class ChildFailed(EngineError):
    """A child process ended before its work was done; the message repeats the end of its log."""

    def __init__(self, message: str, *, exit_status: int | None = None) -> None:
        super().__init__(message)
        self.exit_status = exit_status


def child_environment(threads: int, needs: Collection[str] = ()) -> dict[str, str]:
    """What a child may know: where things are, how many CPU threads it has, and nothing of our secrets or services.

    `needs` are the names of those that it cannot do without.
    """
    passed = {*PASSED_ON, *needs}
    ours = {name: value for name, value in os.environ.items() if name in passed or name.startswith(PASSED_ON_PREFIXES)}
    counts = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")}
    ours.pop("HF_TOKEN", None)
    # Threads that spin while they wait take the core from the very thread they wait for, once other processes are busy:
    # a training with two threads on two cores took three times as long beside three busy processes.
    ours.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name, size in MALLOC.items():
        ours.setdefault(name, str(size))
    return {**ours, **counts, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}


class Child:
    """One process in a group of its own that is killed whole: by us, by its own end, or by ours (PR_SET_PDEATHSIG).

    Not in charge of what the lines mean.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        name: str,
        log: Path,
        threads: int = 1,
        folder: Path | None = None,
        needs: Collection[str] = (),
    ) -> None:
        self.name, self.log = name, log
        self._environ, self._folder = child_environment(threads, needs), folder
        with open_log(log) as file:
            self._log_start = file.tell()
            self._process: subprocess.Popen[bytes] = _spawner.submit(self._start, argv, file).result()
        self._ended = threading.Event()
        threading.Thread(target=self._bury, name=f"bury-{self._process.pid}", daemon=True).start()

    def _start(self, argv: Sequence[str], log: Any) -> subprocess.Popen[bytes]:
        bound = [sys.executable, "-I", "-S", str(STUB), str(int(signal.SIGKILL)), str(os.getpid()), OURS.becoming, *argv]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            bound, stdin=pipe, stdout=pipe, stderr=log, env=self._environ, cwd=self._folder, start_new_session=True
        )

    def _bury(self) -> None:
        """Wait for the child's end and take its whole group along, so that no heir holds our pipe or the device's memory."""
        self._process.wait()
        deadline = time.monotonic() + GONE_SECONDS
        while _running(self._process.pid) and time.monotonic() < deadline:
            kill_group(self._process)
            time.sleep(0.02)
        self._ended.set()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._ended.is_set() and self._process.returncode is None

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one line. Raises ChildFailed when nobody reads it any more."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self.failure() from error

    def lines(self) -> Iterator[dict[str, Any]]:
        """What the child says, until it closes its output. Raises ChildFailed on a line that is no JSON object."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if not isinstance(message, dict):
                self.kill()
                raise ChildFailed(f"{self.name} said something that is no JSON object; its log is {self.log}")
            yield message

    def finish(self) -> None:
        """Wait for a child that has closed its output. Raises ChildFailed unless it ended with status 0."""
        self._ended.wait()
        if self._process.returncode != 0:
            raise self.failure()
        self._close()

    def kill(self) -> None:
        """Kill the whole group and wait until the child is gone; harmless when it is, and from any thread."""
        if not self._ended.is_set():
            kill_group(self._process)
            self._ended.wait()

    def end(self, patience: float = 5.0) -> None:
        """Close its input, which asks it to end; kill it after `patience` seconds."""
        if self.alive and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
            self._ended.wait(patience)
        self.kill()
        self._close()

    def failure(self) -> ChildFailed:
        """The words for a child that is gone: how it ended and the end of its log."""
        self.kill()
        self._close()
        status = self._process.returncode
        how = f"ended with status {status}" if status >= 0 else f"was killed by signal {-status} ({_signal_name(-status)})"
        tail = self._tail()
        said = f" It wrote last:\n{tail}" if tail else " It wrote nothing."
        return ChildFailed(f"{self.name} {how}; its log is {self.log}.{said}", exit_status=status)

    def _tail(self) -> str:
        with suppress(OSError), self.log.open("rb") as file:
            file.seek(max(self._log_start, self.log.stat().st_size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
            return "\n".join(lines[-TAIL_LINES:])
        return ""

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _running(group: int) -> bool:
    """Whether a process of the group runs. A dead one that nobody has buried holds no memory and no pipe."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, its_group = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        name = signal.Signals(number).name
        return f"{name}: out of memory?" if number == signal.SIGKILL else name
    return "unknown"
