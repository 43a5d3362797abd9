"""What the operator must act on."""

from __future__ import annotations

import shutil
from pathlib import Path


class ServiceError(Exception):
    """A server or program cannot run here; the message says what happened, where, and what to do."""


def unwritable(path: Path, error: OSError) -> ServiceError:
    """Words for a folder or file that could not be written."""
    if error.errno == 28:  # ENOSPC
        return disk_full(path)
    return ServiceError(
        f"cannot write {path}: {error.strerror}. Make it writable for the user that runs Whetstone, "
        "or set WHETSTONE_VAR to a folder that is."
    )


def disk_full(path: Path) -> ServiceError:
    """Words for a disk without room. `path` need not exist."""
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free // 2**20
    return ServiceError(
        f"the disk that holds {path} is full ({free} MiB free). Free some space, or set WHETSTONE_VAR to a folder on "
        "another disk, and start again: what was committed is kept."
    )


def server_failed(name: str, log: Path, output: str) -> ServiceError:
    """Words for a server that ended instead of serving; `output` is what it wrote since its start."""
    if "No space left on device" in output:
        return disk_full(log.parent)
    tail = "\n".join("  " + line for line in output.strip().splitlines()[-8:]) or "  (it wrote nothing)"
    return ServiceError(f"{name} did not start. The last lines of {log}:\n{tail}")
