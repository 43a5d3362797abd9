"""An engine in a process of its own, spoken to in JSON lines: batches of requests on stdin, completions on stdout.

    out, first:  {"ready": true, "engine": "transformers", "model": "…", "end_ids": […], "max_length": 4096}
    in:          {"batch": "B", "requests": [{"id": "…", "messages": [{"role", "content"}, …], "seeds": […], "sampling": {…},
                                           "first": 0, "again": false}]}
    out:         {"batch": "B", "id": "…", "attempt": 0, "seed": 1, "text": "…", "finish_reason": "stop", "prompt_tokens": 90,
                  "completion_tokens": 12, "prompt_hash": "…"}                       one per attempt, as they come
    out, last:   {"batch": "B", "end": true, "seconds": 1.5}   or   {"batch": "B", "error": "…"}: take the next batch
    in:          {"swap": "/models/two"}: serve that model from now on
    out:         {"swap": "/models/two", "seconds": 0.1}   or   {"swap": "/models/two", "error": "…"}: the old model stays

End of stdin ends the process with 0; what it cannot recover from, with 3 and a message on stderr. stdout is for the protocol
alone: what libraries print there goes to stderr. Not in charge of dying with its parent, nor of which batches there are.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import IO, Any

from toolcalls.errors import InputError
from toolcalls.records import Message, Sampling
from trainer.asking import answers
from trainer.engines.protocol import Answer, CannotSwap, Engine, EngineError, MessageRequest, SwappingEngine
from trainer.engines.registry import KINDS, open_engine

log = logging.getLogger(__name__)
FATAL = 3  # exit code
_written = json.JSONEncoder(ensure_ascii=False).encode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m trainer serve`."""
    parser.add_argument("--model", required=True, help="model folder; scripted: the script file; openai: the model's name there")
    parser.add_argument("--engine", choices=KINDS, default="transformers")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--max-length", type=int, default=4096, help="tokens of prompt and answer together")
    parser.add_argument("--tensor-parallel", type=int, default=1, help="devices over which vllm splits the weights")
    parser.add_argument("--memory", type=float, default=0.9, help="share of each device's memory that vllm may take")
    parser.add_argument("--options", type=json.loads, default={}, help="JSON object of the engine's own options")


def run(arguments: argparse.Namespace) -> int:
    """Open the engine and serve it until stdin ends; the process's exit code."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        try:
            engine = open_engine(
                arguments.engine,
                arguments.model,
                dtype=arguments.dtype,
                threads=arguments.threads,
                max_length=arguments.max_length,
                tensor_parallel=arguments.tensor_parallel,
                memory=arguments.memory,
                options=arguments.options,
            )
        except (EngineError, InputError) as error:
            print(error, file=sys.stderr)
            return FATAL
        try:
            return serve(engine, arguments.model, sys.stdin.buffer, out)
        except Exception:
            log.exception("the %s engine broke; it must be started again", engine.name)
            return FATAL
        finally:
            engine.close()


def serve(engine: Engine, model: str, lines: Iterable[bytes], out: IO[str]) -> int:
    """Answer every line of `lines`. A line that cannot be read gets an error reply and the next line is read."""
    about = {"engine": engine.name, "model": model, "end_ids": list(engine.end_ids), "max_length": engine.max_length}
    _send(out, {"ready": True, **about})
    out.flush()
    for line in lines:
        if not line.strip():
            continue
        batch: str | None = None
        start = time.perf_counter()
        try:
            document = _document(line)
            if "swap" in document:
                _send(out, _swapped(engine, document["swap"]))
                out.flush()
                continue
            batch = document["batch"]
            count = 0
            for reply in _replies(engine, document):
                _send(out, {"batch": batch, **reply})
                count += 1
            seconds = time.perf_counter() - start
            _send(out, {"batch": batch, "end": True, "seconds": round(seconds, 3)})
            out.flush()
            log.info("batch %s: %d completions in %.1f s", batch, count, seconds)
        except BrokenPipeError:
            return 0
        except (EngineError, InputError) as error:
            _send(out, {"batch": batch, "error": str(error)})
            out.flush()
    return 0


def _swapped(engine: Engine, model: str) -> dict[str, Any]:
    """What is said to a wish for another model. An engine that broke over it raises."""
    start = time.perf_counter()
    try:
        if not isinstance(engine, SwappingEngine):
            raise CannotSwap(f"the {engine.name} engine serves one model; start another process")
        engine.swap(model)
    except (CannotSwap, InputError) as error:
        return {"swap": model, "error": str(error)}
    seconds = time.perf_counter() - start
    log.info("the weights of %s are served now; swapped in %.2f s", model, seconds)
    return {"swap": model, "seconds": round(seconds, 3)}


def _replies(engine: Engine, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    requests = [_request(number, raw) for number, raw in enumerate(document["requests"], start=1)]
    yield from map(_reply, answers(engine, requests))


def _document(line: bytes) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError as error:
        raise InputError(f"a line on stdin is not JSON: {error}") from error
    if isinstance(document, dict) and isinstance(document.get("swap"), str):
        return document
    kinds = [type(document.get(key)) for key in ("batch", "requests")] if isinstance(document, dict) else []
    if kinds != [str, list]:
        raise InputError('a line on stdin is not {"batch": text, "requests": [...]}, nor {"swap": text}')
    return dict(document)


def _request(number: int, raw: Any) -> MessageRequest:
    try:
        messages = tuple(Message(message["role"], message["content"]) for message in raw["messages"])
        seeds = tuple(int(seed) for seed in raw["seeds"])
        sampling = _sampling(raw.get("sampling", {}))
        identity, first, again = raw["id"], int(raw.get("first", 0)), bool(raw.get("again", False))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"request {number} needs id, messages with role and content, seeds and sampling ({error!r})") from error
    if not isinstance(identity, str) or not all(0 <= seed < 1 << 63 for seed in seeds):
        raise InputError(f"request {number}: id must be text and seeds must be from 0 to 2**63 - 1")
    return MessageRequest(identity, messages, seeds, sampling, first, again)


def _sampling(raw: Mapping[str, Any]) -> Sampling:
    unknown = set(raw) - {field.name for field in fields(Sampling)}
    if unknown:
        raise ValueError(f"unknown sampling parameters {', '.join(sorted(unknown))}")
    sampling = Sampling(**raw)
    if not (sampling.temperature >= 0 and 0 < sampling.top_p <= 1 and sampling.top_k >= 0 and sampling.repetition_penalty > 0):
        raise ValueError("a sampling parameter is out of range")
    if isinstance(sampling.max_new_tokens, bool) or not isinstance(sampling.max_new_tokens, int) or sampling.max_new_tokens < 1:
        raise ValueError("max_new_tokens must be a whole number from 1")
    return sampling


def _reply(answer: Answer) -> dict[str, Any]:
    generation = answer.generation
    return {
        "id": answer.request_id,
        "attempt": generation.attempt,
        "seed": generation.seed,
        "text": generation.text,
        "finish_reason": generation.finish_reason,
        "prompt_tokens": generation.prompt_tokens,
        "completion_tokens": generation.completion_tokens,
        "prompt_hash": generation.prompt_hash,
    }


def _send(out: IO[str], document: Mapping[str, Any]) -> None:
    out.write(_written(document) + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    """The command `python -m trainer.serving`, the same as `python -m trainer serve`."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    parser = argparse.ArgumentParser(prog="python -m trainer serve", description="Serve an engine in JSON lines.")
    add_arguments(parser)
    return run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
