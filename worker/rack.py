"""The engines of a worker: a keeper for each set of devices that one of them runs on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from worker.devices import on_devices
from worker.engines import EngineChild, EngineKeeper, EngineSpec, Holding, serve_command
from worker.logs import log_file
from worker.memory import memory_in_use

Command = Callable[[EngineSpec], Sequence[str]]


class Owning(Holding, Protocol):
    """Somebody who works on a claim with devices of their own."""

    @property
    def devices(self) -> tuple[str, ...]: ...


class EngineRack:
    """Gives each lease the engine on its devices. Not in charge of who has which devices: worker.devices."""

    def __init__(self, logs: Path, command: Command = serve_command) -> None:
        self._logs, self._command = logs, command
        self._keepers: dict[tuple[str, ...], EngineKeeper] = {}
        self._guard = threading.Lock()

    @contextmanager
    def serving(self, lease: Owning) -> Iterator[EngineChild]:
        """The engine of the lease's claim on its devices; engines that held one of them before are ended."""
        for others in self._overlapping(lease.devices):
            others.end()
        with self._keeper(lease.devices).serving(lease) as engine:
            yield engine

    def end(self) -> None:
        """End every engine, and wait until its memory is free."""
        for keeper in self._all():
            keeper.end()

    def end_idle(self, seconds: float, devices: tuple[str, ...] | None = None) -> None:
        """End those that have had nothing to do for so long: all, or the one on these devices."""
        with self._guard:
            keepers = [keeper for held, keeper in self._keepers.items() if devices in (None, held)]
        for keeper in keepers:
            keeper.end_idle(seconds)

    def _all(self) -> list[EngineKeeper]:
        with self._guard:
            return list(self._keepers.values())

    def _overlapping(self, devices: tuple[str, ...]) -> list[EngineKeeper]:
        with self._guard:
            return [keeper for held, keeper in self._keepers.items() if held != devices and {*held} & {*devices}]

    def _keeper(self, devices: tuple[str, ...]) -> EngineKeeper:
        with self._guard:
            if devices not in self._keepers:
                self._keepers[devices] = EngineKeeper(
                    log_file(self._logs, "engine", "-".join(devices)),
                    lambda spec: on_devices(devices, self._command(spec)),
                    partial(memory_in_use, devices),
                )
            return self._keepers[devices]
