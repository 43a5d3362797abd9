"""A named program under the supervisor: how it starts, what its end means, how it is stopped."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from curation.services.launching import kill_group, launch

FIRST_DELAY = 0.5  # seconds before the first restart; doubles with each failure
LONGEST_DELAY = 30.0
SETTLED = 60.0  # seconds of running after which earlier failures are forgotten


@dataclass(frozen=True, slots=True)
class Program:
    """What to run; var/log/NAME.log receives its output."""

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)  # added to the supervisor's
    folder: Path | None = None  # working directory; None: the supervisor's
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5.0  # between the stop signal and the kill of its process group
    death_signal: signal.Signals = signal.SIGTERM  # what it gets when the supervisor is killed
    restart: bool = True  # False: its end is noted and left


class BackOff:
    """The delays between restarts of something that keeps ending."""

    def __init__(self) -> None:
        self._failures = 0

    def delay_after(self, ran: float) -> float:
        """Seconds to wait before the next start, when the last run took `ran` seconds."""
        self._failures = 0 if ran >= SETTLED else self._failures
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0**self._failures)
        self._failures += 1
        return delay


class ProgramChild:
    """A program's process. It has the shape of the embedded servers: name, log, process, start, stop."""

    def __init__(self, program: Program, log_folder: Path) -> None:
        self.program = program
        self.log = log_folder / f"{program.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self.program.name

    def start(self) -> None:
        program = self.program
        self.process = launch(
            program.argv,
            log=self.log,
            death_signal=program.death_signal,
            environ=program.environ,
            folder=program.folder,
        )

    def stop(self) -> None:
        """Kill what is left of it; the supervisor has asked it to end before."""
        if self.process is not None:
            kill_group(self.process)
            self.process.wait()
            self.process = None
