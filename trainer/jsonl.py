"""JSON lines of the commands: what is read is named by file and line, what is written appears as a whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from toolcalls.errors import InputError


class OutputError(RuntimeError):
    """A file cannot be written; whoever runs the command must act."""


def read_objects(path: str | Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line's place ("file, line 3") and its object; empty lines are skipped. Raises InputError at what is no object."""
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            value = json.loads(line)
        except ValueError as error:
            raise InputError(f"{where}: is not JSON ({error}). Every line must be one JSON object.") from error
        if not isinstance(value, dict):
            raise InputError(f"{where}: an object expected, not {type(value).__name__}.")
        yield where, value


@contextmanager
def writing(path: str | Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Give a function that writes one object per line. The file gets its name, replacing an older one, when all went well."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            yield lambda value: _write(file, value)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}). Free space or choose another --out.") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _write(file: Any, value: Mapping[str, Any]) -> None:
    file.write(json.dumps(value, ensure_ascii=False) + "\n")


def _lines(path: str | Path) -> Iterator[str]:
    try:
        with Path(path).open(encoding="utf-8") as file:
            yield from file
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
