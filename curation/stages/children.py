"""Work that a web request begins and that outlives it: a command in a session of its own."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)


def start(command: str, number: int, into: str) -> None:
    """Run `manage.py command number` detached, its words into the log file `into`, so that it outlives a restart of the site.

    Should it not start, nobody is told: the row of `number` then gets no sign of life, which its stage takes for death.
    """
    folder = Path(settings.VAR) / "log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / into).open("ab") as out:
            child = subprocess.Popen(
                [sys.executable, str(settings.BASE_DIR / "manage.py"), command, str(number)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=settings.BASE_DIR,
                env={**os.environ, "DATABASE_POOL": "0"},
                start_new_session=True,
            )
    except OSError as error:
        log.error("%s %s cannot be started: %s", command, number, error)
        return
    threading.Thread(target=child.wait, name=f"{command}-{number}", daemon=True).start()  # so that it leaves no zombie
