"""What a query string asks for, read strictly: a value that cannot be meant is refused by name."""

from __future__ import annotations

from django.http import HttpRequest

from curation.stages.errors import InputError

LARGEST = 2**63 - 1  # of the database's whole numbers


def number_asked(request: HttpRequest, name: str) -> int | None:
    """A whole number from 0, or None where there is none. Raises InputError for anything else."""
    given = request.GET.get(name, "")
    if not given:
        return None
    if not (given.isascii() and given.isdigit()) or len(given) > 19 or int(given) > LARGEST:
        raise InputError(f"{name}={given[:40]}: a whole number expected")
    return int(given)
