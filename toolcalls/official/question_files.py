"""The benchmarks' own files, one JSON object a line whatever their names end in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolcalls.errors import InputError


def read_objects(path: Path) -> Iterator[dict[str, Any]]:
    """Every line's object. Raises InputError with the file and what to do."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _object(line, f"{path}, line {number}")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name the folder that holds the benchmarks") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 ({error.reason})") from error


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise InputError(f"{where}: an object expected, not {type(value).__name__}")
    return value
