"""Texts that people write: how long they may be, and what Postgres can hold."""

from __future__ import annotations

from curation.stages.copying import storable
from curation.stages.errors import InputError

LONGEST_WHY = 2000  # characters


def check_text(what: str, text: str, most: int) -> str:
    """The text. Raises InputError when it has more than `most` characters, or one that cannot be stored."""
    if len(text) > most:
        raise InputError(f"{what} has {len(text):,} characters; write at most {most:,}")
    if storable(text) != text:
        raise InputError(f"{what} holds a character that cannot be stored (NUL or half of a pair); remove it")
    return text


def check_why(why: str) -> str:
    """The reason that a person gives for an operation, without space around it. Raises InputError as `check_text` does."""
    return check_text("the reason", why.strip(), LONGEST_WHY)
