"""Attempts at passwords, counted in Django's cache: by e-mail and address together, by address, and by e-mail."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

WINDOW = 15 * 60  # seconds from the first attempt
MOST_OF_BOTH = 10  # attempts on one e-mail from one address
MOST_OF_ONE = 100  # on one e-mail from anywhere, or from one address on anybody
REFUSAL = "Too many attempts. Wait a quarter of an hour, then try again."


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that has been counted; `of_both` and `of_one` are the keys of its counts."""

    of_both: str
    of_one: tuple[str, str]


def begin(email: str, request: HttpRequest) -> Attempt | None:
    """Count an attempt before it is made, so that many at once are no way around; None when there have been too many."""
    who, where = email.strip().casefold(), address_of(request)
    attempt = Attempt(_key("both", who, where), (_key("email", who), _key("address", where)))
    counts = [_count(key) for key in attempt.of_one]
    if _count(attempt.of_both) > MOST_OF_BOTH or max(counts) > MOST_OF_ONE:
        return None
    return attempt


def succeeded(attempt: Attempt) -> None:
    """The password was right: what was counted for this e-mail at this address is forgotten."""
    cache.delete(attempt.of_both)
    for key in attempt.of_one:
        _count(key, -1)


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, as the proxy in front says or the socket does; of IPv6 the network, which is one sender's."""
    named = request.headers.get(settings.CLIENT_ADDRESS_HEADER, "") if settings.CLIENT_ADDRESS_HEADER else ""
    text = named.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return str(text)
    return str(address) if address.version == 4 else str(ipaddress.ip_network(f"{address}/64", strict=False))


def _key(*parts: str) -> str:
    return "attempts:" + hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def _count(key: str, by: int = 1) -> int:
    """The count after adding `by`; it is forgotten WINDOW after its first attempt."""
    cache.add(key, 0, WINDOW)
    try:
        return int(cache.incr(key, by))
    except ValueError:  # its time was over in between
        cache.set(key, by, WINDOW)
        return by
