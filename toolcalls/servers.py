"""What may be said of a model's server where others can read it: an address without a secret, and the name of its key."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY|API_KEY")  # whole; no other of a worker's secrets has such a name
_HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?|[0-9a-f.]*:[0-9a-f:.]*", re.ASCII)


def is_plain_address(url: str) -> bool:
    """Whether it is an address without a secret in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    whole = parts.scheme in ("http", "https") and _HOST.fullmatch(host or "") is not None and "@" not in parts.netloc
    return whole and not set("?#") & set(url) and url.isascii() and url.isprintable() and " " not in url
