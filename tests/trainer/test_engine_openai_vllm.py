"""The OpenAI-compatible engine against a real vLLM server: its greedy text is that of the transformers engine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

import trainer
from toolcalls.answers import Calls
from toolcalls.parsing import parse
from toolcalls.prompts import direct_messages
from toolcalls.records import Message, Sampling
from trainer.asking import Question, answers, ask
from trainer.engines.openai import OpenAiEngine, open_openai
from trainer.engines.protocol import EngineError, MessageRequest
from trainer.engines.vllm import ENVIRONMENT
from trainer.tiny.world import world_samples

pytestmark = [pytest.mark.vllm, pytest.mark.long, pytest.mark.process]
KEY = "sk-of-no-use-Zq81"
BASE = Path(trainer.__file__).parent / "tiny" / "checkpoint"
LENGTH = 768  # tokens
USABLE = "from trainer.engines.vllm import device_type; print(device_type(), end='')"
START = 240.0  # seconds


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, require_tier: Callable[[str, str], NoReturn]) -> Iterator[str]:
    """The API of a vLLM server of the base that is shipped, in a process of its own."""
    usable = subprocess.run([sys.executable, "-c", USABLE], capture_output=True, text=True, check=False, timeout=120)
    if usable.returncode:
        require_tier("vllm", usable.stderr.strip().splitlines()[-1])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--model", str(BASE), "--served-model-name", "tiny", "--dtype", "float32", "--max-model-len", str(LENGTH)]
    command += ["--enforce-eager", "--no-enable-chunked-prefill", "--max-num-batched-tokens", "4096", "--api-key", KEY]
    environ = {**os.environ, **ENVIRONMENT, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "1"}
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, start_new_session=True)
    try:
        _wait(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.5)


@pytest.fixture
def opened(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., OpenAiEngine]]:
    """`opened(n=8)`: an engine that asks the server."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    engines: list[OpenAiEngine] = []

    def start(model: str = "tiny", **options: Any) -> OpenAiEngine:
        engines.append(open_openai(model, max_length=LENGTH, **{"url": url, "retries": 1, **options}))
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()


def questions(count: int, *seeds: int) -> list[Question]:
    """Samples of the world that the base was made in, each with these seeds."""
    samples = world_samples("easy", count=count, seed=0)
    return [Question(sample.id, direct_messages(sample), seeds) for sample in samples]


def test_greedy_text_is_that_of_the_transformers_engine(opened: Any) -> None:
    from trainer.engines.transformers import open_transformers

    sampling, asked = Sampling(temperature=0.0, max_new_tokens=64), questions(8, 1)
    here = ask(open_transformers(str(BASE), dtype="float32", threads=1, max_length=LENGTH), asked, sampling)
    there = ask(opened(), asked, sampling)
    told = [[(one.text, one.finish_reason, one.prompt_tokens) for (one,) in side] for side in (here, there)]
    assert told[0] == told[1]
    assert any(isinstance(parse(text), Calls) for text, _, _ in told[1])
    # The server counts the end token, too.
    ended = [one.finish_reason == "stop" for (one,) in there]
    assert [two.completion_tokens - one.completion_tokens for (one,), (two,) in zip(here, there, strict=True)] == ended


def test_tokens_of_hard_questions_are_those_of_the_transformers_engine(url: str) -> None:
    """Its texts may lack a letter: the server decodes token by token, which the shipped base's tokenizer does not allow."""
    from trainer.engines.transformers import open_transformers

    engine = open_transformers(str(BASE), dtype="float32", threads=1, max_length=LENGTH)
    asked = [Question(one.id, direct_messages(one), (1,)) for one in world_samples("hard", count=40, seed=0)]
    here = ask(engine, asked, Sampling(temperature=0.0, max_new_tokens=96))
    there = [tokens_of(url, question) for question in asked]
    decoded = [engine.tokenizer.decode([token for token in ids if token not in engine.end_ids]) for ids in there]
    assert decoded == [one.text for (one,) in here]


def tokens_of(url: str, question: Question) -> list[int]:
    """The server's greedy answer as token ids."""
    messages = [{"role": message.role, "content": message.content} for message in question.messages]
    body = {"model": "tiny", "messages": messages, "temperature": 0, "max_tokens": 96, "return_token_ids": True}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return list(json.load(reply)["choices"][0]["token_ids"])


def test_attempts_repeat_with_their_seed_whatever_runs_beside_them(opened: Any) -> None:
    asked, sampling = questions(4, 2**62 + 1, 5, 2**62 + 1, 6), Sampling(temperature=2.0, max_new_tokens=24)
    (alone,) = ask(opened(), asked[2:3], sampling)
    beside = ask(opened(), asked, sampling)[2]
    texts = [one.text for one in alone]
    assert texts == [one.text for one in beside]
    assert texts[0] == texts[2]
    assert len(set(texts)) == 3


def test_attempts_may_share_a_request(opened: Any) -> None:
    (given,) = ask(opened(n=4), questions(1, *range(8)), Sampling(temperature=2.0, max_new_tokens=24))
    assert len({one.text for one in given}) == 8
    assert all(0 < one.completion_tokens <= 25 for one in given)


def test_a_prompt_without_room_is_too_long_beside_others(opened: Any) -> None:
    long = MessageRequest("long", (Message("user", "Rome " * LENGTH),), (1, 2), Sampling(max_new_tokens=24))
    short = MessageRequest("short", (Message("user", "Rome"),), (1,), Sampling(max_new_tokens=24))
    given = {(name, one.attempt): one.finish_reason for name, one in answers(opened(), [long, short])}
    assert given["long", 0] == given["long", 1] == "too_long"
    assert given["short", 0] in ("stop", "length")


def test_two_hundred_attempts_are_all_answered(opened: Any) -> None:
    given = ask(opened(concurrency=64), questions(25, *range(8)), Sampling(max_new_tokens=24))
    assert [len(attempts) for attempts in given] == [8] * 25


def test_a_wrong_key_and_a_wrong_name_are_told(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="Has it a model 'no-such-model'"):
        ask(opened("no-such-model"), questions(1, 1), Sampling())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    with pytest.raises(EngineError, match="It refused the key in OPENAI_API_KEY") as caught:
        ask(opened(), questions(1, 1), Sampling())
    assert "sk-wrong" not in str(caught.value)
