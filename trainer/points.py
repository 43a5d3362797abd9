"""Points of a training from which it goes on when its process was killed.

A point is a folder checkpoint-STEP: trained weights, optimiser, schedule, random numbers and losses so far, as transformers'
Trainer keeps them, and whole.json. That one is written last, when all else is on the disk: without it the folder is nothing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "checkpoint-"
WHOLE = "whole.json"


@dataclass(frozen=True, slots=True)
class Points:
    """Where the points of one training lie. `of` says which training that is: a point of any other is never gone on from."""

    folder: Path
    of: Mapping[str, Any]  # JSON values


def mark_whole(point: Path, of: Mapping[str, Any]) -> None:
    """Bring a point to the disk, and then say that it is whole."""
    sizes = {}
    for path in sorted(path for path in point.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        sizes[path.relative_to(point).as_posix()] = path.stat().st_size
    draft = point / f"{WHOLE}.draft"
    with draft.open("w", encoding="utf-8") as file:
        json.dump({"of": dict(of), "bytes": sizes}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(point / WHOLE)
    for folder in (point, point.parent):
        _sync(folder)


def newest(points: Points) -> Path | None:
    """The last whole point of this very training, None when there is none. What is torn or of another training is removed."""
    found = sorted(points.folder.glob(f"{PREFIX}*"), key=step_of, reverse=True)
    fitting = [point for point in found if _training_of(point) == points.of]
    for point in found:
        if point not in fitting:
            shutil.rmtree(point, ignore_errors=True)
    return fitting[0] if fitting else None


def whole(folder: Path) -> list[Path]:
    """The whole points in a folder, of whatever training, the last one first. Removes nothing: somebody may write there."""
    found = sorted(folder.glob(f"{PREFIX}*"), key=step_of, reverse=True)
    return [point for point in found if _training_of(point) is not None]


def adopt(source: Path, target: Path) -> None:
    """Have the whole points of `source` in `target`, too, by hard links: whoever still writes in `source` changes nothing."""
    for point in whole(source):
        if not (target / point.name).exists():
            take(point, target)


def take(point: Path, target: Path) -> bool:
    """Have one point in `target`, too. False, and nothing there, when it was removed meanwhile, for a later one."""
    draft = target / f".{point.name}"
    try:
        shutil.copytree(point, draft, copy_function=_link)
        draft.rename(target / point.name)
    except (OSError, shutil.Error):
        shutil.rmtree(draft, ignore_errors=True)
        return False
    return True


def _training_of(point: Path) -> Any:
    """Which training a whole point is of; None for one that is torn."""
    with suppress(OSError, ValueError, AttributeError, KeyError):
        said = json.loads((point / WHOLE).read_text(encoding="utf-8"))
        if all((point / name).stat().st_size == size for name, size in said["bytes"].items()):
            return said["of"]
    return None


def step_of(point: Path) -> int:
    """The optimiser step after which a point was made."""
    number = point.name.removeprefix(PREFIX)
    return int(number) if number.isdecimal() else -1


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
