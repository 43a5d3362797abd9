"""The scripted engine: which answer it gives, and how it fails when told to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from toolcalls.records import Message, Sampling
from trainer.engines.protocol import EngineError, Request
from trainer.engines.registry import open_engine
from trainer.engines.scripted import ScriptedEngine, encode_bytes, open_script


def request(identity: str, *, prompt: str = "hello", k: int = 1, max_new_tokens: int = 64) -> Request:
    return Request(identity, encode_bytes([Message("user", prompt)]), tuple(range(k)), Sampling(max_new_tokens=max_new_tokens))


def script(folder: Path, **keys: Any) -> Path:
    path = folder / "script.json"
    path.write_text(json.dumps(keys), encoding="utf-8")
    return path


def texts(engine: ScriptedEngine, *requests: Request) -> list[str]:
    return [completion.text for completion in engine.generate(requests)]


def test_answers_are_found_by_id_then_by_rule_then_by_default(tmp_path: Path) -> None:
    engine = open_script(
        script(tmp_path, answers={"a": ["1", "2"]}, rules=[{"contains": "weather", "answers": ["3"]}], default=["4"])
    )
    asked = [request("a", k=3), request("b", prompt="The weather?"), request("c")]
    assert texts(engine, *asked) == ["1", "2", "1", "3", "4"]


def test_a_function_can_answer() -> None:
    engine = ScriptedEngine(lambda request, attempt: f"{request.id} {attempt}")
    assert texts(engine, request("a", k=2)) == ["a 0", "a 1"]


def test_a_long_answer_is_cut_and_a_long_prompt_is_too_long() -> None:
    engine = ScriptedEngine(lambda request, attempt: "x" * 10, max_length=60)
    short, long = engine.generate([request("a", max_new_tokens=4), request("b", prompt="y" * 60, max_new_tokens=4)])
    assert (short.text, short.finish_reason) == ("xxxx", "length")
    assert (long.text, long.finish_reason, long.token_ids) == ("", "too_long", ())


def test_it_fails_at_the_request_it_was_told_and_only_once(tmp_path: Path) -> None:
    path = script(tmp_path, default=["x"], fail_at=2, once=str(tmp_path / "failed"))
    engine = open_script(path)
    with pytest.raises(EngineError, match="request 2"):
        list(engine.generate([request("a"), request("b")]))
    assert texts(open_script(path), request("a"), request("b")) == ["x", "x"]


@pytest.mark.parametrize("content", ["[]", "{", '{"answer": {}}'])
def test_a_file_that_is_no_script_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text(content)
    with pytest.raises(EngineError, match=r"script\.json"):
        open_script(tmp_path / "script.json")


def test_the_registry_names_its_kinds_and_options(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="transformers, vllm, openai, scripted"):
        open_engine("magic", ".")
    with pytest.raises(EngineError, match="no option beams; its options: device, kept, rows, tokens"):
        open_engine("transformers", ".", options={"beams": 4})
    with pytest.raises(EngineError, match="cannot split a model over 2 devices; the vllm engine can"):
        open_engine("transformers", ".", tensor_parallel=2)
    assert open_engine("scripted", str(script(tmp_path))).name == "scripted"


def test_protocol_registry_and_scripted_engine_load_no_torch() -> None:
    code = (
        "import sys, trainer.engines.protocol, trainer.engines.registry, trainer.engines.scripted, trainer.serving;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'vllm', 'django')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
