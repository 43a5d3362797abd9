"""What may be registered of a model behind an OpenAI-compatible server: an address and names, never a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curation.stages.errors import InputError
from toolcalls.servers import KEY_NAME, is_plain_address


def check_served_model(name: str, options: Mapping[str, Any]) -> None:
    """Raises InputError for an address or a name that is missing or may hold a secret; no message repeats a value.

    All else is the engine's to check when it is opened.
    """
    url, model = options.get("url"), options.get("model")
    if not isinstance(url, str) or not is_plain_address(url):
        raise InputError(
            f"engine {name!r}: option url must be http:// or https://, a host and a path, such as http://gpu-box:8000/v1; "
            "no user, no question mark: a key belongs into the worker's environment (option key_env)"
        )
    if not isinstance(model, str) or not model.strip():
        raise InputError(f"engine {name!r}: option model must name the model as its server does")
    key = options.get("key_env", "OPENAI_API_KEY")
    if not isinstance(key, str) or not KEY_NAME.fullmatch(key):
        raise InputError(f"engine {name!r}: option key_env must name an environment variable that ends with API_KEY")
