"""What takes a vLLM process of its own to show, each on a CPU: minutes together."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import trainer
from toolcalls.answers import Calls
from toolcalls.parsing import parse
from toolcalls.prompts import direct_messages
from toolcalls.records import Sampling
from trainer.asking import Question, ask
from trainer.tiny.world import world_samples

pytestmark = [pytest.mark.vllm, pytest.mark.long, pytest.mark.process]
BASE = Path(trainer.__file__).parent / "tiny" / "checkpoint"
LENGTH = 1024  # tokens
OPEN = """
    import json, logging, multiprocessing, sys
    from toolcalls.prompts import direct_messages
    from toolcalls.records import Sampling
    from trainer.asking import Question, ask
    from trainer.engines.vllm import open_vllm
    from trainer.tiny.world import world_samples

    def opened(model, **more):
        return open_vllm(model, dtype="float32", threads=1, max_length=1024, **more)

    def texts(engine, count=40, k=1):
        samples = world_samples("hard", count=count, seed=0)
        asked = [Question(one.id, direct_messages(one), tuple(range(k))) for one in samples]
        greedy = Sampling(temperature=0.0, max_new_tokens=96)
        return [[each.text for each in given] for given in ask(engine, asked, greedy)]

    def say(**found):
        with open(sys.argv[1], "w") as file:
            json.dump(found, file)
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Any]:
    """`program(text, *arguments)` runs a program that has OPEN before it, and gives what it said."""
    pytest.importorskip("vllm")

    def run(text: str, *arguments: object) -> Any:
        script, said = tmp_path / "program.py", tmp_path / "said.json"
        script.write_text(textwrap.dedent(OPEN) + textwrap.dedent(text))
        environ = {**os.environ, "PYTHONPATH": str(Path(trainer.__file__).parents[1])}
        command = [sys.executable, str(script), str(said), *map(str, arguments)]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=900)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(said.read_text())

    return run


@pytest.fixture
def variant(tmp_path: Path) -> Callable[..., Path]:
    """`variant(0.1, tied=False)`: the shipped base with weights that are off by a tenth, and a head of its own."""

    def write(off: float, *, tied: bool) -> Path:
        import torch
        from safetensors.torch import load_file, save_file

        folder = tmp_path / f"{off}-{tied}"
        shutil.copytree(BASE, folder)
        tensors = load_file(BASE / "model.safetensors")
        if not tied:
            config = json.loads((BASE / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
            tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
        torch.manual_seed(0)
        moved = {name: tensor * (1 + off * torch.randn(tensor.shape)).to(tensor.dtype) for name, tensor in tensors.items()}
        save_file(moved, folder / "model.safetensors", {"format": "pt"})
        return folder

    return write


def of_transformers(model: Path, count: int = 40) -> list[list[str]]:
    from trainer.engines.transformers import open_transformers

    engine = open_transformers(str(model), dtype="float32", threads=1, max_length=LENGTH)
    asked = [Question(one.id, direct_messages(one), (1,)) for one in world_samples("hard", count=count, seed=0)]
    return [[each.text for each in given] for given in ask(engine, asked, Sampling(temperature=0.0, max_new_tokens=96))]


def test_hard_questions_are_answered_as_by_the_transformers_engine(program: Any) -> None:
    said = program("if __name__ == '__main__': say(texts=texts(opened(sys.argv[2])))", BASE)
    assert said["texts"] == of_transformers(BASE)
    assert sum(isinstance(parse(text), Calls) for (text,) in said["texts"]) > 20


def test_swapped_weights_answer_as_a_fresh_process_does(program: Any, variant: Callable[..., Path]) -> None:
    """And without the emptied cache they do not."""
    base, trained = variant(0.0, tied=False), variant(0.1, tied=False)
    swapped = program(
        """
        if __name__ == "__main__":
            engine = opened(sys.argv[2])
            first = texts(engine)
            engine.llm.collective_rpc("reload_weights", kwargs={"weights_path": sys.argv[3]})
            stale = texts(engine)
            engine.swap(sys.argv[3])
            say(first=first, stale=stale, second=texts(engine))
        """,
        base,
        trained,
    )
    fresh = program("if __name__ == '__main__': say(texts=texts(opened(sys.argv[2])))", trained)["texts"]
    assert swapped["second"] == fresh == of_transformers(trained)
    assert swapped["first"] == of_transformers(BASE)
    assert swapped["stale"] != fresh


def test_a_tied_head_is_left_as_it_was(program: Any, variant: Callable[..., Path]) -> None:
    """So it is refused. When this fails, vLLM has mended it, and swapping may be allowed."""
    trained = variant(0.1, tied=True)
    said = program(
        """
        from trainer.engines.protocol import CannotSwap
        if __name__ == "__main__":
            engine = opened(sys.argv[2])
            try:
                engine.swap(sys.argv[3])
            except CannotSwap as error:
                refused = str(error)
            engine.llm.collective_rpc("reload_weights", kwargs={"weights_path": sys.argv[3]})
            engine.llm.reset_prefix_cache()
            say(refused=refused, forced=texts(engine))
        """,
        BASE,
        trained,
    )
    assert "tied" in said["refused"]
    assert said["forced"] != of_transformers(trained)


def test_an_engine_has_one_process_and_no_adapters(program: Any) -> None:
    """In a daemon, which may have no children."""
    said = program(
        """
        def work():
            engine = opened(sys.argv[2], memory=0.35)
            core, config = engine.llm.llm_engine.engine_core, engine.llm.llm_engine.vllm_config
            say(
                core=type(core).__name__,
                lora=config.lora_config is not None,
                children=len(multiprocessing.active_children()),
                memory=config.cache_config.gpu_memory_utilization,
                parser=config.structured_outputs_config.reasoning_parser,
                answers=len(texts(engine, 4)),
            )

        if __name__ == "__main__":
            process = multiprocessing.get_context("spawn").Process(target=work, daemon=True)
            process.start()
            process.join()
            sys.exit(process.exitcode)
        """,
        BASE,
    )
    assert said == {"core": "InprocClient", "lora": False, "children": 0, "memory": 0.35, "parser": "", "answers": 4}


def test_pickled_weights_are_not_read(program: Any, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder = tmp_path / "pickled"
    shutil.copytree(BASE, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    said = program(
        """
        from trainer.engines.protocol import EngineError
        if __name__ == "__main__":
            try:
                opened(sys.argv[2])
            except EngineError as error:
                say(error=str(error))
        """,
        folder,
    )
    assert "vLLM cannot load" in said["error"]


def test_two_processes_answer_as_one_and_end_together(make_model: Any, word_tokenizer: Any, tmp_path: Path) -> None:
    """Tensor parallel over two CPU processes; killed without a word, it leaves none of them."""
    model = tmp_path / "model"
    make_model("Llama").save_pretrained(model)
    word_tokenizer.save_pretrained(model)
    command = [sys.executable, "-m", "trainer", "serve", "--engine", "vllm", "--model", str(model), "--dtype", "float32"]
    command += ["--max-length", "256", "--tensor-parallel", "2"]
    request = {"id": "a", "messages": [{"role": "user", "content": "w4 w5 w6"}], "seeds": [1]}
    request["sampling"] = {"max_new_tokens": 8, "temperature": 0.0}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"], (tmp_path / "log").read_text()[-3000:]
        print(json.dumps({"batch": "B", "requests": [request]}), file=process.stdin, flush=True)
        answer = json.loads(process.stdout.readline())["text"]
        group = in_group(process.pid)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 30
        while in_group(process.pid):
            assert time.monotonic() < deadline, "a process of the engine is still there"
            time.sleep(0.1)
    finally:
        if in_group(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert len(group) >= 3
    assert answer == of_one(model)


def of_one(model: Path) -> str:
    from toolcalls.records import Message
    from trainer.engines.protocol import Request
    from trainer.engines.transformers import open_transformers

    engine = open_transformers(str(model), dtype="float32", threads=1, max_length=256)
    sampling = Sampling(temperature=0.0, max_new_tokens=8)
    (answer,) = engine.generate([Request("a", engine.encode([Message("user", "w4 w5 w6")]), (1,), sampling)])
    return answer.text


def in_group(group: int) -> list[int]:
    """Processes of a group, less the dead that nobody has buried."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state not in "ZX":
            found.append(int(stat.parent.name))
    return found
