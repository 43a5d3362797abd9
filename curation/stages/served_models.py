"""What may be registered of a model behind an OpenAI-compatible server: an address and names, never a key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from curation.stages.errors import InputError

KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY|API_KEY")  # whole; as trainer.engines.openai_options has it


def check_served_model(name: str, options: Mapping[str, Any]) -> None:
    """Raises InputError for an address or a name that is missing or may hold a secret; no message repeats a value.

    All else is the engine's to check when it is opened.
    """
    url, model = options.get("url"), options.get("model")
    if not isinstance(url, str) or not _is_plain_address(url):
        raise InputError(
            f"engine {name!r}: option url must be http:// or https://, a host and a path, such as http://gpu-box:8000/v1; "
            "no user, no question mark: a key belongs into the worker's environment (option key_env)"
        )
    if not isinstance(model, str) or not model.strip():
        raise InputError(f"engine {name!r}: option model must name the model as its server does")
    key = options.get("key_env", "OPENAI_API_KEY")
    if not isinstance(key, str) or not KEY_NAME.fullmatch(key):
        raise InputError(f"engine {name!r}: option key_env must name an environment variable that ends with API_KEY")


def _is_plain_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    whole = parts.scheme in ("http", "https") and bool(host) and "@" not in parts.netloc
    return whole and not set("?#") & set(url) and url.isascii() and url.isprintable() and " " not in url
