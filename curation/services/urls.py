"""Which database and which broker: the environment's if it names one, else the embedded servers' sockets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from curation.services.errors import ServiceError
from curation.services.paths import Paths


def named(environ: Mapping[str, str], name: str) -> str | None:
    """The variable's value, or the content of the file that NAME_FILE names; None where neither is set or both are empty."""
    if path := environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip() or None
        except OSError as error:
            raise ServiceError(f"{name}_FILE names {path}, which cannot be read: {error.strerror}") from error
    return environ.get(name) or None


def database_url(environ: Mapping[str, str], var: Path) -> str:
    """`postgresql://…`, for psycopg and for the settings to take apart. The server need not be running."""
    return named(environ, "DATABASE_URL") or Paths(var).postgres_url


def redis_url(environ: Mapping[str, str], var: Path) -> str:
    """The broker in Celery's form: `redis://…` or `redis+socket:///path?virtual_host=0`."""
    url = named(environ, "REDIS_URL") or Paths(var).valkey_url
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    return f"redis+socket://{parts.path}?virtual_host={_database(parts.query)}"


def client_url(url: str) -> str:
    """A URL of `redis_url` in redis-py's form (`redis.Redis.from_url`, Django's cache): sockets become `unix://`."""
    parts = urlsplit(url)
    if parts.scheme != "redis+socket":
        return url
    return f"unix://{parts.path}?db={_database(parts.query)}"


def _database(query: str) -> str:
    values = parse_qs(query)
    return (values.get("virtual_host") or values.get("db") or ["0"])[0]
