"""The worker's engine: one child that serves one model, kept from shard to shard while the model stays the same."""

from __future__ import annotations

import itertools
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from curation.stages.jobs import EngineRequest
from curation.stages.shards import Claim
from toolcalls.errors import InputError
from toolcalls.records import Generation
from toolcalls.wire import to_json
from trainer.engines.protocol import EngineError
from worker.children import Child, ChildFailed
from worker.leases import Killable
from worker.memory import MemoryInUse, memory_in_use, wait_until_free

log = logging.getLogger(__name__)
PROJECT = Path(__file__).resolve().parent.parent
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
NETWORK = frozenset({"SSL_CERT_FILE", "SSL_CERT_DIR", *_PROXIES, *map(str.lower, _PROXIES)})  # the way to a server elsewhere


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """What makes two engines the same. `options` is JSON text, so that the whole can be compared and hashed.

    A scripted engine has no model: its option `script` names the file of its answers. Nor has an openai engine: its option
    `model` is what the server calls its own.
    """

    kind: str
    model: Path
    dtype: str
    threads: int
    max_length: int  # tokens
    options: str = "{}"
    tensor_parallel: int = 1  # devices
    memory: float = 0.9  # share of each device's

    @property
    def environment(self) -> frozenset[str]:
        """Names of the worker's variables that this engine needs and other children must not see."""
        if self.kind != "openai":
            return frozenset()
        return NETWORK | {json.loads(self.options).get("key_env", "OPENAI_API_KEY")}

    @classmethod
    def of(cls, claim: Claim) -> EngineSpec:
        chosen, options = claim.settings, dict(claim.engine_options)
        model = claim.model
        if claim.engine_kind == "scripted":
            if "script" not in options:
                raise InputError("a scripted engine needs the option script, the file of its answers; register one that has it")
            model = Path(options.pop("script"))
        if claim.engine_kind == "openai":
            if claim.checkpoint_id is not None:
                raise InputError("an openai engine serves a model of its own, not what a run trained; choose another engine")
            model = Path(options.pop("model"))
        return cls(
            claim.engine_kind,
            model,
            chosen.engine_dtype,
            chosen.engine_threads,
            chosen.max_length,
            json.dumps(options, sort_keys=True),
            chosen.engine_tensor_parallel,
            chosen.engine_memory,
        )

    def may_become(self, other: EngineSpec) -> bool:
        """Whether an engine of this kind can be asked to swap its weights for the other's model."""
        return self.kind == "vllm" and replace(self, model=other.model) == other


class Holding(Protocol):
    """Who works on a claim, and has the engine killed when it is to be worked on no more."""

    @property
    def claim(self) -> Claim: ...

    def watching(self, child: Killable) -> AbstractContextManager[None]: ...


class BatchRefused(EngineError):
    """The engine could not answer a batch, and says that it can take the next one."""


def serve_command(spec: EngineSpec) -> list[str]:
    """The command line of `python -m trainer serve` for an engine."""
    values = {
        "--model": str(spec.model),
        "--engine": spec.kind,
        "--dtype": spec.dtype,
        "--threads": str(spec.threads),
        "--max-length": str(spec.max_length),
        "--tensor-parallel": str(spec.tensor_parallel),
        "--memory": str(spec.memory),
        "--options": spec.options,
    }
    return [sys.executable, "-m", "trainer", "serve", *itertools.chain.from_iterable(values.items())]


class EngineChild:
    """An engine in a child process. One batch at a time; a batch not read to its end leaves the child killed."""

    def __init__(self, spec: EngineSpec, command: Sequence[str], log: Path) -> None:
        self.spec = spec
        self._child = Child(command, name=_name(spec), log=log, threads=spec.threads, folder=PROJECT, needs=spec.environment)
        self._lines = self._child.lines()
        self._ready = False
        self._batches = itertools.count(1)
        self.kill = self._child.kill

    @property
    def alive(self) -> bool:
        return self._child.alive

    def generate(self, requests: Sequence[EngineRequest]) -> dict[str, list[Generation]]:
        """Every attempt of every request, in order of the attempts, by the request's id.

        Raises: EngineError when the engine cannot answer, ChildFailed when it dies.
        """
        if not requests:
            return {}
        answers: dict[str, dict[int, Generation]] = {request.id: {} for request in requests}
        usable = False  # for the next batch
        try:
            for line in self._batch([_wire(request) for request in requests]):
                answers[line["id"]][line["attempt"]] = _generation(line)
            usable = True
        except BatchRefused:
            usable = True
            raise
        finally:
            if not usable:
                self.kill()
        for request in requests:
            if len(answers[request.id]) != len(request.seeds):
                raise EngineError(f"{self._child.name} gave {len(answers[request.id])} of {len(request.seeds)} answers")
        return {name: [attempts[number] for number in sorted(attempts)] for name, attempts in answers.items()}

    def swap(self, spec: EngineSpec) -> bool:
        """Have the process serve the spec's model from now on. False when it cannot, or died of it: another must be started."""
        try:
            self.wait_until_ready()
            self._child.send({"swap": str(spec.model)})
            reply = next(self._lines, None)
            why = self._child.failure() if reply is None else reply.get("error")
        except ChildFailed as error:
            why = error
        if why is not None:
            log.info("%s is started anew for %s: %s", self._child.name, spec.model.name, why)
            return False
        self.spec, self._child.name = spec, _name(spec)
        return True

    def _batch(self, requests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        self.wait_until_ready()
        batch = str(next(self._batches))
        self._child.send({"batch": batch, "requests": requests})
        for line in self._lines:
            if "error" in line:
                raise BatchRefused(f"{self._child.name} could not answer: {line['error']}")
            if line.get("end"):
                return
            yield line
        raise self._child.failure()

    def wait_until_ready(self) -> None:
        """Until the model is loaded. Raises ChildFailed when the child dies of it."""
        if not self._ready:
            first = next(self._lines, None)
            if first is None:
                raise self._child.failure()
            self._ready = bool(first.get("ready"))

    def end(self) -> None:
        self._child.end()


def _name(spec: EngineSpec) -> str:
    return f"the {spec.kind} engine on {spec.model.name}"


def _wire(request: EngineRequest) -> dict[str, Any]:
    messages = [to_json(message) for message in request.messages]
    which = {"seeds": list(request.seeds), "first": request.first, "again": request.again}
    return {"id": request.id, "messages": messages, "sampling": to_json(request.sampling), **which}


def _generation(line: Mapping[str, Any]) -> Generation:
    return Generation(
        attempt=line["attempt"],
        seed=line["seed"],
        text=line["text"],
        finish_reason=line["finish_reason"],
        prompt_tokens=line["prompt_tokens"],
        completion_tokens=line["completion_tokens"],
        prompt_hash=line["prompt_hash"],
    )


class EngineKeeper:
    """Holds at most one engine child. Evaluation of θ_t and sampling of t + 1 find the same one; training ends it first.

    Where only the model is another, a vLLM child is asked to swap its weights before a new one is started.
    """

    def __init__(
        self,
        logs: Path,
        command: Callable[[EngineSpec], Sequence[str]] = serve_command,
        in_use: MemoryInUse = memory_in_use,
    ) -> None:
        self._log, self._command, self._in_use_now = logs, command, in_use
        self._child: EngineChild | None = None
        self._before: Mapping[str, int] = {}  # memory of the devices when the child was started
        self._in_use = threading.Lock()
        self._used = time.monotonic()

    @contextmanager
    def serving(self, lease: Holding) -> Iterator[EngineChild]:
        """The engine of the lease's claim, started if need be, and killed if the lease is lost inside the block."""
        spec = EngineSpec.of(lease.claim)
        with self._in_use:
            child = self._child_for(spec, lease)
            try:
                with lease.watching(child):
                    yield child
            finally:
                self._used = time.monotonic()

    def _child_for(self, spec: EngineSpec, lease: Holding) -> EngineChild:
        if self._child is None or not self._serves(self._child, spec, lease):
            self._end_and_free()
            self._before = self._in_use_now()
            self._child = EngineChild(spec, self._command(spec), self._log)
        return self._child

    def _serves(self, child: EngineChild, spec: EngineSpec, lease: Holding) -> bool:
        if child.alive and child.spec.may_become(spec) and child.spec != spec:
            with lease.watching(child):
                return child.swap(spec)
        return child.alive and child.spec == spec

    def end(self) -> None:
        """End the child, if there is one, its whole group, and wait until its memory is free. Raises EngineError if it stays."""
        with self._in_use:
            self._end_and_free()

    def end_idle(self, seconds: float) -> None:
        """End a child that has had nothing to do for so long: a finished run must not hold the device."""
        if time.monotonic() - self._used > seconds and self._in_use.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._in_use.release()

    def _end_and_free(self) -> None:
        self._end()
        before, self._before = self._before, {}
        wait_until_free(before, self._in_use_now)

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None
