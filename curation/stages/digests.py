"""What the database keeps of a secret that opens something."""

from __future__ import annotations

import hashlib


def digest(secret: str) -> str:
    """The sha256, in hex. Enough for secrets of 256 random bits; a lookup by it tells nothing, by its time, of any secret."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
