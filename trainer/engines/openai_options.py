"""What an OpenAI-compatible engine may be told, checked before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from toolcalls.servers import KEY_NAME, is_plain_address
from trainer.engines.protocol import EngineError

TOKEN_LIMITS = ("max_tokens", "max_completion_tokens")
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "concurrency": (1, 4096),
    "timeout": (0.001, 86400),
    "retries": (0, 100),
    "patience": (0, 86400),
    "n": (1, 1024),
}
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", dict: "a JSON object"}


@dataclass(frozen=True, slots=True)
class Options:
    """The options of an engine of kind openai, as an operator registers them."""

    url: str  # of the API: /chat/completions is added, as in http://gpu-box:8000/v1
    key_env: str = "OPENAI_API_KEY"  # the environment variable that holds the key; without it no key is sent
    concurrency: int = 64  # requests in flight
    timeout: float = 600.0  # seconds for a whole try, its wait at the server included
    retries: int = 6  # tries after the first
    patience: float = 900.0  # seconds after the first try in which another may begin
    n: int = 1  # attempts that one request asks for; above 1 they share its seed
    token_limit: str = "max_tokens"  # what the server calls max_new_tokens: or max_completion_tokens
    plain: bool = False  # leave out parameters that OpenAI itself does not know
    body: dict[str, Any] = field(default_factory=dict)  # more of a request's body


def options_from(values: Mapping[str, Any]) -> Options:
    """Plain JSON as Options. Raises EngineError that says which is wrong; it repeats no value that may be a secret."""
    if "url" not in values:
        raise EngineError("The openai engine needs the option url, such as http://gpu-box:8000/v1.")
    kinds: dict[str, type] = {"url": str, "key_env": str, "token_limit": str, "plain": bool, "body": dict}
    kinds |= {"timeout": float, "patience": float}
    given = {name: _checked(name, kinds.get(name, int), value) for name, value in values.items()}
    options = Options(**given)
    _check_words(options)
    return options


def _checked(name: str, kind: type, value: Any) -> Any:
    low, high = _BOUNDS.get(name, (0, 0))
    fits = name not in _BOUNDS or (isinstance(value, int | float) and low <= value <= high)
    if fits and (type(value) is kind or (kind, type(value)) == (float, int)):
        return kind(value)
    bounds = f" from {low:g} to {high:g}" if name in _BOUNDS else ""
    raise EngineError(f"The openai engine's option {name} must be {_KINDS[kind]}{bounds}.")


def _check_words(options: Options) -> None:
    if not is_plain_address(options.url):
        raise EngineError(
            "The openai engine's option url must be http:// or https://, a host and a path; no user, no question mark: "
            "a key belongs into the environment (option key_env)."
        )
    if not KEY_NAME.fullmatch(options.key_env):
        raise EngineError("The openai engine's option key_env must name an environment variable that ends with API_KEY.")
    if options.token_limit not in TOKEN_LIMITS:
        raise EngineError(f"The openai engine's option token_limit must be one of {', '.join(TOKEN_LIMITS)}.")
