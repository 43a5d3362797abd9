"""Progress on the screen: one line per stage, rewritten in place on a terminal, printed once when it ends elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

BAR = 24  # columns


class Screen:
    """Where the demonstration speaks. Not in charge of what it says."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self.live = out.isatty()
        self._open = False  # whether the cursor stands in an unfinished line

    def say(self, text: str = "") -> None:
        """A line of its own, below whatever is in progress."""
        if self._open:
            self._out.write("\r\x1b[K")
            self._open = False
        self._out.write(text + "\n")
        self._out.flush()

    def progress(self, line: str) -> None:
        """The line in progress; only a terminal shows it before it is final."""
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self._out.write("\r\x1b[K" + line[:width])
            self._out.flush()
            self._open = True


def stage_line(name: str, done: int, total: int, unit: str, seconds: float) -> str:
    """For example "  sampling    ████████········  250 of 500 samples  12.5/s  20 s"."""
    share = done / total if total else 1.0
    bar = ("█" * round(share * BAR)).ljust(BAR, "·")
    rate = f"{done / seconds:.1f}/s" if seconds > 0 and done else ""
    count = f"{done:,} of {total:,} {unit}"
    return f"  {name:<11} {bar}  {count:<22} {rate:>10}  {seconds:>5.0f} s"


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began
