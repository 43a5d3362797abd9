"""How much memory of the devices is in use, and the wait until an ended engine's share of it is free."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from trainer.engines.protocol import EngineError

MemoryInUse = Callable[[], Mapping[str, int]]  # MiB by device
SLACK = 512  # MiB that a device may hold more than before: other programs' windows, a driver's own
PATIENCE = 30.0  # seconds; a driver takes a moment to clear a dead process's memory
_PAUSE = 0.2  # seconds


def memory_in_use(devices: Sequence[str] = ()) -> dict[str, int]:
    """What nvidia-smi says of these devices, without any of those of CUDA_VISIBLE_DEVICES, or of all. Nothing where there is
    none to say it."""
    visible = ",".join(devices) or os.environ.get("CUDA_VISIBLE_DEVICES")
    chosen = [] if visible is None else ["-i", visible]
    command = ["nvidia-smi", "--query-gpu=uuid,memory.used", "--format=csv,noheader,nounits", *chosen]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
        pairs = [line.split(",") for line in said.splitlines() if line.strip()]
        return {device.strip(): int(used) for device, used in pairs}
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}


def wait_until_free(before: Mapping[str, int], in_use: MemoryInUse, *, patience: float = PATIENCE) -> None:
    """Wait until no device holds more than it did `before`. Raises EngineError, naming the devices that still do."""
    deadline = time.monotonic() + patience
    while held := _held(before, in_use() if before else {}):
        if time.monotonic() >= deadline:
            devices = ", ".join(f"{device} {more} MiB" for device, more in held.items())
            raise EngineError(
                f"{patience:.0f} s after its engine ended, memory that was free before it is in use: {devices}. "
                "Something else works on this worker's devices; see nvidia-smi."
            )
        time.sleep(_PAUSE)


def _held(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    more = {device: used - before.get(device, used) for device, used in now.items()}
    return {device: used for device, used in more.items() if used > SLACK}
