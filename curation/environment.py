"""Typed readers of the environment that fail at start, with the variable's name; secrets may come from NAME_FILE."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """The variable's value, or the content of the file that NAME_FILE names, or the default."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error.strerror}") from error
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set; .env.example lists every setting")
    return value


def flag(name: str, default: bool) -> bool:
    value = os.environ.get(name, "1" if default else "0").lower()
    if value not in {"0", "1", "true", "false", "yes", "no", ""}:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be 1 or 0")
    return value in {"1", "true", "yes"}


def number(name: str, default: int) -> int:
    """A whole number over 0."""
    value = text(name, str(default))
    if not (value.isascii() and value.isdigit()) or not int(value):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number over 0")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def chosen(name: str, allowed: Sequence[str]) -> list[str]:
    """A comma-separated list of some of the allowed words."""
    given = words(name)
    if unknown := [word for word in given if word not in allowed]:
        raise ImproperlyConfigured(f"{name} names {unknown[0]!r}; it must be some of {', '.join(allowed)}")
    return given


def folders(name: str, default: str) -> list[Path]:
    """A list of folders separated by the system's path separator (a colon)."""
    return [Path(part).resolve() for part in text(name, default).split(os.pathsep) if part]


def storage(name: str, default: str) -> Path | str:
    """A folder, or the address of a bucket and a prefix in it, such as s3://models/whetstone."""
    value = text(name, default)
    if "://" not in value:
        return Path(value).resolve()
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+[a-z0-9](/[\w.-]+)*/?", value):
        raise ImproperlyConfigured(f"{name} must be a folder, or an address such as s3://bucket/prefix without a key in it")
    return value.rstrip("/")


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    requests: int
    seconds: int


def rate(name: str, default: str) -> Rate:
    """E.g. 600/m; the units are s, m and h."""
    found = re.fullmatch(r"([1-9]\d{0,8})/([smh])", text(name, default))
    if found is None:
        raise ImproperlyConfigured(f"{name} must be written as 600/m, 10/s or 5000/h")
    return Rate(int(found[1]), {"s": 1, "m": 60, "h": 3600}[found[2]])
