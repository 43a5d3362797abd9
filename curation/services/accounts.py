"""As whom Postgres runs, which refuses to run as root. Nothing is added to the system and no parent folder is opened."""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from curation.services.errors import ServiceError

NOBODY = "65534"
UNSHARE = ("unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


@dataclass(frozen=True, slots=True)
class Account:
    """How a program's command line and process are changed so that it does not see itself as root."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    @property
    def becoming(self) -> str:
        """For bind_to_parent.py: `USER_ID:GROUP_ID`, or `-` for no change."""
        return "-" if self.user is None else f"{self.user}:{self.group}"

    def take_over(self, folder: Path) -> None:
        """Give an empty folder to the account that is to write in it."""
        if self.user is not None and self.group is not None:
            os.chown(folder, self.user, self.group)


OURS = Account()
MAPPED = Account(prefix=UNSHARE)


def account_for(data: Path) -> Account:
    """Ours, unless we are root: then a user namespace in which our files are `nobody`'s, else the user postgres or nobody.

    Data that exist decide: their owner runs the server. Raises ServiceError where no account can.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise ServiceError(f"{data} belongs to {_name(owner)}: run Whetstone as that user, or set WHETSTONE_VAR.")
        return OURS
    if owner:
        return Account(user=owner, group=data.stat().st_gid)
    if user_namespaces_work():
        return MAPPED
    if owner == 0:
        raise ServiceError(
            f"{data} belongs to root, Postgres refuses to run as root, and this system allows no user namespace. "
            f"Give the data to another user, for instance: chown -R nobody: {data}"
        )
    return _other_user(data.parent)


@functools.cache
def user_namespaces_work() -> bool:
    """Whether `unshare` can show a program another user id (a container's rules may forbid it)."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], check=False, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def _other_user(folder: Path) -> Account:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        account = Account(user=entry.pw_uid, group=entry.pw_gid)
        if _can_enter(account, folder.parent):
            return account
    raise ServiceError(
        f"Postgres refuses to run as root, and neither the user postgres nor nobody may enter {folder.parent}. "
        "Run Whetstone as an ordinary user, or set WHETSTONE_VAR to a folder that others may enter, such as /var/lib/whetstone."
    )


def _can_enter(account: Account, folder: Path) -> bool:
    test = ["test", "-x", str(folder)]
    done = subprocess.run(test, check=False, stdin=subprocess.DEVNULL, user=account.user, group=account.group, extra_groups=[])
    return done.returncode == 0


def _name(user: int | None) -> str:
    try:
        return pwd.getpwuid(user or 0).pw_name
    except KeyError:
        return f"user {user}"
