"""Names that people type: what the database can keep and a page can show on one line."""

from __future__ import annotations

import unicodedata

from curation.stages.errors import InputError


def plain_name(text: str, what: str, most: int, *, least: int = 1) -> str:
    """The text without outer space. Raises InputError when it has too few or too many letters, or one that stands for none."""
    name = text.strip()
    if not least <= len(name) <= most:
        raise InputError(f"{what} has {len(name)} letters; give it {least} to {most}")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in name):
        raise InputError(f"{what} holds a control character; leave it out")
    return name
