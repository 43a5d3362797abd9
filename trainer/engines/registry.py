"""Opening an engine by its kind. Torch, transformers and vLLM are loaded only by the kind that needs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.engines.protocol import Engine, EngineError

OPTIONS: dict[str, set[str]] = {
    "transformers": {"device", "kept", "rows", "tokens"},
    "vllm": {"rows", "kv_cache_bytes"},
    "openai": {"url", "key_env", "concurrency", "timeout", "retries", "patience", "n", "token_limit", "plain", "body"},
    "scripted": set(),
}
KINDS = tuple(OPTIONS)


def open_engine(
    kind: str,
    model_path: str,
    *,
    dtype: str = "bfloat16",
    threads: int = 1,
    max_length: int = 4096,
    tensor_parallel: int = 1,
    memory: float = 0.9,
    options: Mapping[str, Any] | None = None,
) -> Engine:
    """Open an engine on a model folder (for "scripted" a script file, for "openai" the model's name at the server).

    `tensor_parallel` (devices) and `memory` (share of each device's) are for vLLM; the others have one device, or none.
    `options` are the engine's own, see OPTIONS and what `open_transformers`, `open_vllm` and `open_openai` say of them.

    Raises: EngineError for an engine that cannot work here, InputError for a folder that is no model.
    """
    given = dict(options or {})
    if kind not in OPTIONS:
        raise EngineError(f"There is no engine {kind!r}; the kinds are {', '.join(KINDS)}.")
    if unknown := set(given) - OPTIONS[kind]:
        allowed = ", ".join(sorted(OPTIONS[kind])) or "none"
        raise EngineError(f"The {kind} engine has no option {', '.join(sorted(unknown))}; its options: {allowed}.")
    if tensor_parallel != 1 and kind != "vllm":
        raise EngineError(f"The {kind} engine cannot split a model over {tensor_parallel} devices; the vllm engine can.")
    if kind == "scripted":
        from trainer.engines.scripted import open_script

        return open_script(model_path, max_length=max_length)
    if kind == "openai":
        from trainer.engines.openai import open_openai

        return open_openai(model_path, max_length=max_length, **given)
    if kind == "vllm":
        from trainer.engines.vllm import open_vllm

        devices: dict[str, Any] = {"tensor_parallel": tensor_parallel, "memory": memory}
        return open_vllm(model_path, dtype=dtype, threads=threads, max_length=max_length, **devices, **given)
    from trainer.engines.transformers import open_transformers

    return open_transformers(model_path, dtype=dtype, threads=threads, max_length=max_length, **given)
