"""What the commands share: failures as one line that says what to do, progress, and finding things by name."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from curation.models import Run
from curation.services.errors import ServiceError
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.storage.errors import StoreError
from toolcalls.settings import SettingsError

QUIET_SECONDS = 2.0  # what takes longer shows its progress
FAILED = 1  # exit status; 2 is argparse's, for arguments that it does not understand
INTERRUPTED = 130  # as a shell has it


class Error(CommandError):
    """Django prints the class's name before the message: "Error: …"."""


class StageCommand(BaseCommand):
    """A command that calls stage functions. A subclass writes `run`; what the user must act on becomes an Error."""

    def handle(self, *_: Any, **options: Any) -> None:
        self.stderr.style_func = None  # progress and advice are no errors
        try:
            self.run(**options)
        except (InputError, WrongState, NotPermitted, SettingsError, ServiceError, StoreError) as error:
            raise Error(str(error), returncode=FAILED) from error
        except OperationalError as error:
            raise Error(_database_words(error), returncode=FAILED) from error
        except ProgrammingError as error:
            if "does not exist" not in str(error):
                raise
            raise Error("the database has no tables of ours, or old ones; run `manage.py migrate`") from error
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; what is left goes nowhere
            sys.exit(FAILED)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    def run(self, **options: Any) -> None:
        raise NotImplementedError

    @contextmanager
    def progress(self, what: str, of: int | None = None) -> Iterator[Progress]:
        """Counts on standard error, from the third second on, `of` how many there are; ends its line."""
        counter = Progress(self.stderr, what, of)
        try:
            yield counter
        finally:
            counter.close()


class Progress:
    """Called with a count; writes it at most every half second, over itself on a terminal, and the last one when it is closed."""

    def __init__(self, stream: Any, what: str, of: int | None = None) -> None:
        self.stream, self.what = stream, what if of is None else f"of {of:,} {what}"
        self.began = self.written = time.monotonic()
        self.count = self.shown = 0

    def __call__(self, count: int) -> None:
        self.count, now = count, time.monotonic()
        if now - self.began >= QUIET_SECONDS and now - self.written >= (0.5 if self._terminal else 5):
            self._write(now)

    def _write(self, now: float) -> None:
        self.written, self.shown = now, self.count
        rate = self.count / (now - self.began)
        line = f"{self.count:,} {self.what}, {rate:,.{0 if rate >= 10 else 1}f}/s"
        self.stream.write(f"\r{line}" if self._terminal else line, ending="" if self._terminal else "\n")
        self.stream.flush()

    @property
    def _terminal(self) -> bool:
        return bool(self.stream.isatty())

    def close(self) -> None:
        told = self.written > self.began
        if told and self.count != self.shown:
            self._write(time.monotonic())
        if told and self._terminal:
            self.stream.write("")


def _database_words(error: OperationalError) -> str:
    """What the database's refusal means; SQLSTATE class 53 is a want of disk, memory or connections."""
    why = str(error).strip().splitlines()[0]
    if str(getattr(error.__cause__, "sqlstate", None) or "").startswith("53"):
        return f"the database has run out of room ({why}); free some disk or memory where it runs. Nothing was written"
    return f"the database does not answer ({why}); start it with `manage.py supervise`, or set DATABASE_URL"


def find_run(number: int) -> Run:
    """Raises InputError when there is no such run."""
    run = Run.objects.select_related("project__team", "revision", "dataset", "base", "engine").filter(pk=number).first()
    if run is None:
        last = Run.objects.order_by("-pk").values_list("pk", flat=True)[:5]
        there = f"the last ones are {', '.join(map(str, last))}" if last else "there is none yet; `start_run` makes one"
        raise InputError(f"run {number} does not exist; {there}")
    return run


def assignments(words: Sequence[str], option: str) -> dict[str, Any]:
    """{"a": 1, "b": {"c": "x"}} of ["a=1", "b.c=x"]: JSON values where they can be read as such, else text."""
    values: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        *outer, last = name.split(".")
        if not equals or not all((*outer, last)):
            raise InputError(f"{option} {word}: write it as name=value")
        place = values
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise InputError(f"{option} {word}: {part} has a value already")
        if last in place:
            raise InputError(f"{option} {word}: {name} is given twice")
        place[last] = _value(value)
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
