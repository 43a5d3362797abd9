"""The accelerators that a worker owns: locked on this host, and lent to its engines and trainings."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from curation.services.errors import ServiceError
from curation.services.locking import FileLock
from curation.stages.shards import Room

WAIT = 30.0  # seconds for a worker that is about to end to let go of a device
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class DeviceGroup:
    """Devices by the names that CUDA knows them by, each lent to one job at a time. Not thread-safe: the station guards it.

    A group without names is whatever the environment shows: it is lent as a whole, and no file is locked.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = tuple(names)
        self._free, self._lent = list(names), 0  # how many jobs are at work
        self._locks: list[FileLock] = []

    @property
    def lanes(self) -> int:
        """How many jobs there can be at a time."""
        return max(1, len(self.names))

    @property
    def busy(self) -> bool:
        return self._lent > 0

    def room(self) -> Room | None:
        """What a job may need now; None where nobody knows how many devices there are."""
        return Room(len(self._free), len(self.names)) if self.names else None

    def lock(self, folder: Path) -> None:
        """Take every device's file lock in `folder`. Raises ServiceError when another process of this host has one."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.names:
            lock = FileLock(folder / f"{name}.lock")
            lock.acquire(wait=WAIT, refusal=f"device {name} belongs to another worker (process {{pid}}): choose others")
            self._locks.append(lock)

    def unlock(self) -> None:
        while self._locks:
            self._locks.pop().release()

    def most(self, number: int) -> int:
        """`number`, or all that there are where they are fewer."""
        return min(number, len(self.names)) if self.names else number

    def take(self, number: int) -> tuple[str, ...]:
        """Lend so many devices, the first ones that are free: engines of one size find theirs again."""
        if self.names and number > len(self._free):
            raise ValueError(f"{number} devices of {len(self._free)} free ones")
        taken, self._free = tuple(self._free[:number]), self._free[number:]
        self._lent += 1
        return taken

    def give_back(self, taken: Collection[str]) -> None:
        self._free = [name for name in self.names if name in taken or name in self._free]
        self._lent -= 1


def device_names(text: str) -> tuple[str, ...]:
    """`0,1,2` or `GPU-8f2c…,GPU-91d0…` as names. Raises ServiceError for what is none, or twice there."""
    names = tuple(word.strip() for word in text.split(",") if word.strip())
    for name in names:
        if not _NAME.fullmatch(name) or names.count(name) > 1:
            raise ServiceError(f"--devices {text}: {name} is no device, or twice there; write numbers or UUIDs, as in 0,1")
    return names


def on_devices(devices: Sequence[str], command: Sequence[str]) -> list[str]:
    """`command` as one that sees these devices alone, or what we see when there are none."""
    return ["env", f"CUDA_VISIBLE_DEVICES={','.join(devices)}", *command] if devices else list(command)
