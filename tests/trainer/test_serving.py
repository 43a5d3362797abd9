"""Serving an engine in a process of its own, in JSON lines."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toolcalls.records import Message
from trainer.encoding import prompt_hash
from trainer.engines.protocol import CannotSwap
from trainer.engines.scripted import ScriptedEngine, encode_bytes
from trainer.serving import serve


class Server:
    """A serving process, one JSON line in and many out."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "trainer.serving", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        reply: dict[str, Any] = json.loads(self.process.stdout.readline())
        return reply

    def write(self, line: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, line: Any) -> list[dict[str, Any]]:
        """Replies up to the batch's end or error."""
        self.write(line)
        replies = [self.read()]
        while not {"end", "error"} & set(replies[-1]):
            replies.append(self.read())
        return replies

    def close(self) -> tuple[int, str]:
        """Exit code and stderr after stdin has ended."""
        _, stderr = self.process.communicate(timeout=60)
        return self.process.returncode, stderr.decode()


def batch(name: str, *identities: str, text: str = "w5 w6", seeds: tuple[int, ...] = (1, 2), **sampling: Any) -> dict[str, Any]:
    requests = [
        {
            "id": identity,
            "messages": [{"role": "user", "content": text}],
            "seeds": seeds,
            "sampling": {"max_new_tokens": 16} | sampling,
        }
        for identity in identities
    ]
    return {"batch": name, "requests": requests}


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Server]:
    script = {"answers": {"a": ["[f(x=1)]", "[f(x=2)]"]}, "default": ["é"], "fail_at": 4}
    (tmp_path / "script.json").write_text(json.dumps(script))
    server = Server("--engine", "scripted", "--model", str(tmp_path / "script.json"), "--max-length", "100")
    yield server
    server.process.kill()
    server.process.communicate()


def test_a_batch_is_answered_attempt_by_attempt(scripted: Server) -> None:
    ready = scripted.read()
    assert (ready["ready"], ready["engine"], ready["end_ids"]) == (True, "scripted", [256])
    *replies, end = scripted.ask(batch("B1", "a", "b"))
    prompt = encode_bytes([Message("user", "w5 w6")])
    assert replies[0] == {
        "batch": "B1",
        "id": "a",
        "attempt": 0,
        "seed": 1,
        "text": "[f(x=1)]",
        "finish_reason": "stop",
        "prompt_tokens": len(prompt),
        "completion_tokens": 8,
        "prompt_hash": prompt_hash(prompt),
    }
    assert [reply["text"] for reply in replies] == ["[f(x=1)]", "[f(x=2)]", "é", "é"]
    assert (end["batch"], end["end"]) == ("B1", True)
    assert scripted.close()[0] == 0


def test_a_long_prompt_is_too_long(scripted: Server) -> None:
    scripted.read()
    replies = scripted.ask(batch("B", "a", text="x" * 100))
    assert [reply.get("finish_reason") for reply in replies] == ["too_long", "too_long", None]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{not json\n", "not JSON"),
        (b"[1]\n", "batch"),
        ({"batch": "X", "requests": [{"id": "a"}]}, "request 1"),
        (batch("X", "a", "a"), "same id"),
        (batch("X", "a", beams=3), "beams"),
        (batch("X", "a", temperature=-1), "range"),
        (batch("X", "a", seeds=(-1,)), "seeds"),
    ],
)
def test_a_bad_line_gets_an_error_and_the_next_is_answered(scripted: Server, line: Any, message: str) -> None:
    scripted.read()
    (reply,) = scripted.ask(line)
    assert message in reply["error"]
    assert scripted.ask(batch("B2", "a"))[-1]["end"]


def test_an_engine_that_serves_one_model_says_so_and_goes_on(scripted: Server) -> None:
    scripted.read()
    (reply,) = scripted.ask({"swap": "/models/two"})
    assert reply == {"swap": "/models/two", "error": "the scripted engine serves one model; start another process"}
    assert scripted.ask(batch("B", "a"))[-1]["end"]


class Swapping(ScriptedEngine):
    """A scripted engine that takes one other model, refuses one, and breaks over one."""

    def swap(self, model_path: str) -> None:
        if model_path == "larger":
            raise CannotSwap("tensor a is larger")
        if model_path == "broken":
            raise RuntimeError("half of the weights are read")


def swapping(*models: str) -> list[dict[str, Any]]:
    """What a Swapping engine says to the wish for each of the models."""
    out = io.StringIO()
    lines = [json.dumps({"swap": model}).encode() for model in models]
    serve(Swapping(lambda _request, _attempt: "é"), "one", lines, out)
    return [json.loads(line) for line in out.getvalue().splitlines()][1:]


def test_a_swap_is_confirmed_or_refused() -> None:
    done, refused = swapping("two", "larger")
    assert (done["swap"], done["seconds"] < 5) == ("two", True)
    assert refused == {"swap": "larger", "error": "tensor a is larger"}


def test_an_engine_that_breaks_over_a_swap_serves_no_more() -> None:
    with pytest.raises(RuntimeError, match="half of the weights"):
        swapping("broken", "two")


def test_an_engine_error_ends_the_batch_and_not_the_process(scripted: Server) -> None:
    scripted.read()
    replies = scripted.ask(batch("B1", "a", "b", "c", "d"))
    assert [*map(len, replies)].count(9) == 6
    assert "request 4" in replies[-1]["error"]
    assert scripted.ask(batch("B2", "a"))[-1]["end"]


def test_an_engine_that_cannot_be_opened_exits_with_3_and_says_why(tmp_path: Path) -> None:
    code, stderr = Server("--model", str(tmp_path / "nothing"), "--engine", "scripted").close()
    assert code == 3
    assert "nothing" in stderr


def test_a_real_model_answers_the_same_twice_and_prints_nothing_else_on_stdout(model_folder: Path) -> None:
    server = Server("--model", str(model_folder), "--dtype", "float32", "--max-length", "64")
    ready = server.read()
    assert (ready["engine"], ready["end_ids"], ready["max_length"]) == ("transformers", [1], 64)
    first, second = (server.ask(batch("B", "a", "b", seeds=(7, 8, 9))) for _ in range(2))
    assert first[:-1] == second[:-1]
    assert len(first) == 7
    assert first[0]["prompt_hash"] == prompt_hash([2, 5, 6, 3])
    assert server.close()[0] == 0
