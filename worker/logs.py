"""The log files of children: one per kind and worker process, the newest of them kept."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

KEPT = 20  # log files of a kind


def log_file(folder: Path, kind: str, part: str = "") -> Path:
    """The file for this process's children of a kind, or for a part of them; of the kind's older files, those beyond the newest
    KEPT are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        for old in sorted(folder.glob(f"{kind}-*.log"), key=os.path.getmtime)[: -(KEPT - 1)]:
            old.unlink()
    return folder / f"{'-'.join(filter(None, (kind, str(os.getpid()), part)))}.log"
