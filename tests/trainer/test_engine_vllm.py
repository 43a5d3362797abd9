"""vLLM run for real, in a serving process, on a random Llama: its greedy tokens are those of the transformers engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from toolcalls.records import Message, Sampling
from trainer.engines.protocol import Request

pytestmark = pytest.mark.vllm
TEXTS = [" ".join(f"w{4 + (7 * n * n + m) % 116}" for m in range(length)) for n, length in enumerate((3, 40, 150, 17, 150))]
USABLE = "from trainer.engines.vllm import device_type; print(device_type(), end='')"


@pytest.fixture(scope="module")
def server(
    model_folder: Path, require_tier: Callable[[str, str], NoReturn]
) -> Iterator[Callable[..., dict[tuple[str, int], Any]]]:
    """A function that asks one vLLM engine for a batch and gives the replies by request and attempt."""
    usable = subprocess.run([sys.executable, "-c", USABLE], capture_output=True, text=True, check=False, timeout=120)
    if usable.returncode:
        require_tier("vllm", usable.stderr.strip().splitlines()[-1])
    command = [sys.executable, "-m", "trainer.serving", "--engine", "vllm", "--model", str(model_folder)]
    command += ["--dtype", "float32", "--max-length", "256"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        assert json.loads(stdout.readline())["engine"] == "vllm"

        def ask(requests: list[dict[str, Any]]) -> dict[tuple[str, int], Any]:
            print(json.dumps({"batch": "B", "requests": requests}), file=stdin, flush=True)
            replies = [json.loads(stdout.readline())]
            while "end" not in replies[-1]:
                assert "error" not in replies[-1], replies[-1]
                replies.append(json.loads(stdout.readline()))
            return {(reply["id"], reply["attempt"]): reply for reply in replies[:-1]}

        yield ask
        stdin.close()
        assert process.wait(timeout=60) == 0


def asked(text: str, identity: str, seeds: tuple[int, ...], **sampling: Any) -> dict[str, Any]:
    sampling = {"max_new_tokens": 24} | sampling
    return {"id": identity, "messages": [{"role": "user", "content": text}], "seeds": list(seeds), "sampling": sampling}


def test_greedy_answers_equal_those_of_the_transformers_engine(server: Any, model_folder: Path) -> None:
    from trainer.engines.transformers import open_transformers

    engine = open_transformers(str(model_folder), dtype="float32", threads=1, max_length=256)
    sampling = Sampling(temperature=0.0, max_new_tokens=24)
    requests = [Request(str(n), engine.encode([Message("user", text)]), (1, 2), sampling) for n, text in enumerate(TEXTS)]
    expected = {(c.request_id, c.attempt): (c.text, c.finish_reason, c.prompt_tokens) for c in engine.generate(requests)}
    replies = server([asked(text, str(n), (1, 2), temperature=0.0) for n, text in enumerate(TEXTS)])
    assert {key: (r["text"], r["finish_reason"], r["prompt_tokens"]) for key, r in replies.items()} == expected


def test_attempts_repeat_with_their_seed_whatever_runs_beside_them(server: Any) -> None:
    seeds = (2**62 + 1, 5, 2**62 + 1, 6)
    alone = server([asked(TEXTS[2], "a", seeds)])
    beside = server([asked(text, name, seeds) for name, text in zip("bac", TEXTS[1:4], strict=True)])
    texts = [alone["a", attempt]["text"] for attempt in range(4)]
    assert texts == [beside["a", attempt]["text"] for attempt in range(4)]
    assert texts[0] == texts[2]
    assert len(set(texts)) == 3


def test_many_seeded_prompts_do_not_kill_the_engine(server: Any) -> None:
    replies = server([asked(" ".join(TEXTS[2].split()[n:]), str(n), tuple(range(8))) for n in range(32)])
    assert len(replies) == 256
    assert {reply["finish_reason"] for reply in replies.values()} <= {"stop", "length"}


def test_a_prompt_without_room_is_too_long(server: Any) -> None:
    replies = server([asked(" ".join(TEXTS[1:3]) + " w7" * 60, "a", (1,)), asked(TEXTS[0], "b", (1,))])
    assert (replies["a", 0]["finish_reason"], replies["a", 0]["text"]) == ("too_long", "")
    assert replies["b", 0]["text"]
