"""Signs of life of the process that imports a file, in the file's row."""

from __future__ import annotations

import logging
import os
import threading
from typing import IO

from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from curation.models import AnswerFile, Upload

log = logging.getLogger(__name__)

BEAT = 1.0  # seconds between two signs of life


class Heartbeat:
    """Every second, on a connection of its own, the rows and bytes read so far: nobody sees the import's before its end.

    `mine` finds the row as long as its import is under way.
    """

    def __init__(self, mine: QuerySet[Upload] | QuerySet[AnswerFile], file: IO[bytes]) -> None:
        self._mine, self._file, self._rows = mine, file, 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def rows_read(self, rows: int) -> None:
        self._rows = rows

    def _beat(self) -> None:
        try:
            self._say()
            while not self._end.wait(BEAT):
                self._say()
        finally:
            connection.close()

    def _say(self) -> None:
        try:
            read = os.lseek(self._file.fileno(), 0, os.SEEK_CUR)
            self._mine.update(rows=self._rows, report={"read": read}, seen_at=Now())
        except DatabaseError as error:
            log.warning("no sign of life could be given: %s", error)
            connection.close()
