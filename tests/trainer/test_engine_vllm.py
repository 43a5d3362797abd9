"""vLLM run for real, in a serving process, on a random Llama: its greedy tokens are those of the transformers engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from toolcalls.records import Message, Sampling
from trainer.engines.protocol import Request

pytestmark = pytest.mark.vllm
TEXTS = [" ".join(f"w{4 + (7 * n * n + m) % 116}" for m in range(length)) for n, length in enumerate((3, 40, 150, 17, 150))]
UNUSABLE = re.compile(r"vLLM (is not installed|finds no device)")
BLOCK = 128  # tokens: a prefix is shared by whole blocks, which are that long on a CPU
ALIEN_DEFAULTS = {"repetition_penalty": 3.0, "temperature": 0.1, "top_k": 1, "max_new_tokens": 2}


class Server:
    """`python -m trainer serve` with vLLM."""

    def __init__(self, model: Path, log: Path) -> None:
        self.model, self.log = model, log
        command = [sys.executable, "-m", "trainer", "serve", "--engine", "vllm", "--model", str(model)]
        command += ["--dtype", "float32", "--max-length", "256", "--memory", "0.5"]
        with log.open("wb") as errors:
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True)

    def said(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()[-3000:]
        return dict(json.loads(line))

    def send(self, document: dict[str, Any]) -> None:
        print(json.dumps(document), file=self.process.stdin, flush=True)

    def __call__(self, requests: list[dict[str, Any]]) -> dict[tuple[str, int], Any]:
        """The replies to a batch by request and attempt."""
        self.send({"batch": "B", "requests": requests})
        replies = [self.said()]
        while "end" not in replies[-1]:
            assert "error" not in replies[-1], replies[-1]
            replies.append(self.said())
        return {(reply["id"], reply["attempt"]): reply for reply in replies[:-1]}

    def swap(self, model: Path) -> dict[str, Any]:
        self.send({"swap": str(model)})
        return self.said()

    @contextmanager
    def serving(self, model: Path) -> Iterator[None]:
        """Another model in the block, the first one after it."""
        assert "error" not in self.swap(model)
        try:
            yield
        finally:
            assert "error" not in self.swap(self.model)

    def cached(self) -> tuple[int, int]:
        """Tokens of the last batch's prompts that were found in the prefix cache, and all of them."""
        (*_, last) = re.findall(r"(\d+) of (\d+) prompt tokens were found in the prefix cache", self.log.read_text())
        return int(last[0]), int(last[1])

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0
        self.process.stdout.close()


@pytest.fixture(scope="module")
def folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random Llama, with a generation_config that nothing must heed."""
    copy = tmp_path_factory.mktemp("first") / "model"
    shutil.copytree(model_folder, copy)
    (copy / "generation_config.json").write_text(json.dumps(ALIEN_DEFAULTS))
    return copy


@pytest.fixture(scope="module")
def other(make_model: Any, word_tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same Llama with other weights."""
    import torch

    model = make_model("Llama")
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.3)
    return saved(model, word_tokenizer, tmp_path_factory.mktemp("other"))


def saved(model: Any, tokenizer: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def server(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, require_tier: Callable[[str, str], NoReturn]
) -> Iterator[Server]:
    started = Server(folder, tmp_path_factory.mktemp("server") / "log")
    try:
        assert started.said()["engine"] == "vllm"
    except AssertionError:
        if UNUSABLE.search(started.log.read_text()):
            require_tier("vllm", started.log.read_text().strip().splitlines()[-1])
        raise
    yield started
    started.end()


def asked(text: str, identity: str, seeds: tuple[int, ...], **sampling: Any) -> dict[str, Any]:
    sampling = {"max_new_tokens": 24} | sampling
    return {"id": identity, "messages": [{"role": "user", "content": text}], "seeds": list(seeds), "sampling": sampling}


def greedy(server: Server) -> dict[tuple[str, int], Any]:
    """Two greedy answers to each text: text, finish reason and prompt tokens."""
    replies = server([asked(text, str(n), (1, 2), temperature=0.0) for n, text in enumerate(TEXTS)])
    return {key: (reply["text"], reply["finish_reason"], reply["prompt_tokens"]) for key, reply in replies.items()}


def expected(folder: Path) -> dict[tuple[str, int], Any]:
    """The same of the transformers engine."""
    from trainer.engines.transformers import open_transformers

    engine = open_transformers(str(folder), dtype="float32", threads=1, max_length=256)
    sampling = Sampling(temperature=0.0, max_new_tokens=24)
    requests = [Request(str(n), engine.encode([Message("user", text)]), (1, 2), sampling) for n, text in enumerate(TEXTS)]
    return {(c.request_id, c.attempt): (c.text, c.finish_reason, c.prompt_tokens) for c in engine.generate(requests)}


def test_greedy_answers_equal_those_of_the_transformers_engine(server: Server, folder: Path) -> None:
    assert greedy(server) == expected(folder)


def test_attempts_repeat_with_their_seed_whatever_runs_beside_them(server: Server) -> None:
    seeds = (2**62 + 1, 5, 2**62 + 1, 6)
    alone = server([asked(TEXTS[2], "a", seeds)])
    beside = server([asked(text, name, seeds) for name, text in zip("bac", TEXTS[1:4], strict=True)])
    texts = [alone["a", attempt]["text"] for attempt in range(4)]
    assert texts == [beside["a", attempt]["text"] for attempt in range(4)]
    assert texts[0] == texts[2]
    assert len(set(texts)) == 3


def test_many_seeded_prompts_do_not_kill_the_engine(server: Server) -> None:
    replies = server([asked(" ".join(TEXTS[2].split()[n:]), str(n), tuple(range(8))) for n in range(32)])
    assert len(replies) == 256
    assert {reply["finish_reason"] for reply in replies.values()} <= {"stop", "length"}


def test_neighbouring_seeds_share_no_attempt(server: Server) -> None:
    one, next_one = (server([asked(TEXTS[1], "a", tuple(range(s, s + 4)))]) for s in (100, 104))
    assert len({reply["text"] for replies in (one, next_one) for reply in replies.values()}) == 8


def test_attempts_of_a_prompt_share_its_keys_and_values(server: Server) -> None:
    never_seen = " ".join(reversed(TEXTS[2].split()))
    replies = server([asked(never_seen, "a", tuple(range(8)))])
    assert server.cached() == (7 * BLOCK, 8 * replies["a", 0]["prompt_tokens"])


def test_swapped_weights_answer_as_the_other_model_does(server: Server, folder: Path, other: Path) -> None:
    """The long prompts are in the prefix cache when the weights change, and must not be found there."""
    first = greedy(server)
    with server.serving(other):
        second = greedy(server)
        found, _ = server.cached()
    assert second == expected(other)
    assert found == 2 * BLOCK  # by the second attempts at two long prompts
    assert greedy(server) == first == expected(folder)
    assert all(first[key] != second[key] for key in first)


@pytest.mark.parametrize("fault", ["no folder", "another size", "cut off", "a tensor less", "no tokenizer"])
def test_a_model_that_cannot_be_swapped_in_leaves_the_old_one(
    server: Server, other: Path, make_model: Any, word_tokenizer: Any, tmp_path: Path, fault: str
) -> None:
    folder = tmp_path / "model"
    if fault == "another size":
        saved(make_model("Llama", intermediate_size=64), word_tokenizer, folder)
    elif fault != "no folder":
        shutil.copytree(other, folder)
        spoil(folder, fault)
    before = greedy(server)
    assert server.swap(folder)["error"]
    assert greedy(server) == before


def spoil(folder: Path, fault: str) -> None:
    from safetensors.torch import load_file, save_file

    weights = folder / "model.safetensors"
    if fault == "cut off":
        weights.write_bytes(weights.read_bytes()[:-1000])
    elif fault == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    else:
        tensors = load_file(weights)
        tensors.pop("model.norm.weight")
        save_file(tensors, weights, {"format": "pt"})


def test_nobody_elsewhere_can_reach_the_engine(server: Server) -> None:
    assert set(listening(server.process.pid)) <= {"0100007F"}  # 127.0.0.1


def listening(pid: int) -> list[str]:
    """The addresses at which a process waits for TCP connections, as the kernel writes them."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    owned = {link[8:-1] for link in links if link.startswith("socket:")}
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]]
    return [row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in owned]


def test_a_prompt_without_room_is_too_long(server: Server) -> None:
    replies = server([asked(" ".join(TEXTS[1:3]) + " w7" * 60, "a", (1,)), asked(TEXTS[0], "b", (1,))])
    assert (replies["a", 0]["finish_reason"], replies["a", 0]["text"]) == ("too_long", "")
    assert replies["b", 0]["text"]
