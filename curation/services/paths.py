"""Where the servers keep their data, and the short folder of their sockets."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from curation.services.errors import ServiceError, unwritable

SOCKET_PATH_BYTES = 103  # the least of the systems' limits: 107 on Linux, 103 on macOS
POSTGRES_SOCKET = ".s.PGSQL.5432"
DATABASE = "curation"  # the database's name, and its only role's


@dataclass(frozen=True, slots=True)
class Paths:
    """All paths that belong to one var folder. Two processes with the same var agree on every one of them.

    The sockets stand outside var, because a socket's path may have 107 bytes at most; their folder is named after var's
    hash and open to its owner only, which is what guards the servers: they ask for no password.
    """

    var: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "var", Path(self.var).resolve())

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def postgres(self) -> Path:
        return self.var / "postgres"

    @property
    def postgres_data(self) -> Path:
        return self.postgres / "data"

    @property
    def valkey(self) -> Path:
        return self.var / "valkey"

    @property
    def sockets(self) -> Path:
        name = f"whetstone-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.var)).hexdigest()[:12]}"
        folder = Path(tempfile.gettempdir()) / name
        return folder if len(os.fsencode(folder / POSTGRES_SOCKET)) < SOCKET_PATH_BYTES - 6 else Path("/tmp") / name

    @property
    def postgres_socket(self) -> Path:
        return self.sockets / POSTGRES_SOCKET

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def postgres_url(self) -> str:
        """For psycopg and for Django's settings."""
        return f"postgresql://{DATABASE}@/{DATABASE}?host={quote(str(self.sockets))}"

    @property
    def valkey_url(self) -> str:
        """For Celery; `curation.services.urls.client_url` gives redis-py's form."""
        return f"redis+socket://{quote(str(self.valkey_socket))}?virtual_host=0"

    def prepare(self) -> None:
        """Make the folders that are missing. Raises ServiceError where one cannot be made or is not ours."""
        for folder in (self.var, self.log, self.postgres, self.valkey):
            try:
                folder.mkdir(mode=0o755 if folder == self.var else 0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise unwritable(folder, error) from error
        if not os.access(self.var, os.W_OK):
            raise unwritable(self.var, PermissionError(13, "Permission denied"))
        self._prepare_sockets()

    def _prepare_sockets(self) -> None:
        folder = self.sockets
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
        except OSError as error:
            raise unwritable(folder, error) from error
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), self.postgres.stat().st_uid):
            raise ServiceError(
                f"{folder}, the folder for the servers' sockets, belongs to somebody else. "
                "Remove it, or set TMPDIR to a folder of your own."
            )
        if stat.S_IMODE(found.st_mode) != 0o700:
            folder.chmod(0o700)
