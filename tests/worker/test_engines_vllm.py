"""The engine child with real vLLM in it: two models in one process, and nothing left after its end."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import trainer
from curation.models.shards import StageKind
from curation.stages.jobs import EngineRequest
from curation.stages.shards import Claim
from toolcalls.prompts import direct_messages
from toolcalls.records import Sampling
from toolcalls.settings import Settings
from trainer.tiny.world import world_samples
from worker.engines import EngineKeeper
from worker.leases import Lease

pytestmark = [pytest.mark.vllm, pytest.mark.long, pytest.mark.process]
BASE = Path(trainer.__file__).parent / "tiny" / "checkpoint"
CHOSEN = Settings(engine_dtype="float32", max_length=1024, engine_memory=0.5)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[EngineKeeper]:
    keeper = EngineKeeper(tmp_path / "engine.log")
    yield keeper
    keeper.end()


def model(folder: Path, off: float) -> Path:
    """The shipped base with weights that are off by a share, and a head of its own."""
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(BASE, folder)
    config = json.loads((BASE / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    tensors = load_file(BASE / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    torch.manual_seed(0)
    moved = {name: tensor * (1 + off * torch.randn(tensor.shape)).to(tensor.dtype) for name, tensor in tensors.items()}
    save_file(moved, folder / "model.safetensors", {"format": "pt"})
    return folder


def texts_of(keeper: EngineKeeper, folder: Path, stage: StageKind) -> tuple[dict[str, str], int]:
    """Greedy answers to twenty questions, and the process that gave them."""
    claim = Claim(1, 1, stage, 1, 1, 1, (), CHOSEN, "vllm", {}, folder, None, 0)
    sampling = Sampling(temperature=0.0, max_new_tokens=48)
    samples = world_samples("hard", count=20, seed=0)
    asked = [EngineRequest(str(number), direct_messages(one), (0,), sampling) for number, one in enumerate(samples)]
    with keeper.serving(Lease(claim, threading.Event())) as engine:
        answers = engine.generate(asked)
        return {name: given[0].text for name, given in answers.items()}, engine._child.pid


def test_two_models_share_a_process_that_leaves_nothing(keeper: EngineKeeper, tmp_path: Path) -> None:
    one, two = model(tmp_path / "one", 0.0), model(tmp_path / "two", 0.1)
    first, process = texts_of(keeper, one, StageKind.EVALUATION)
    assert texts_of(keeper, one, StageKind.SAMPLING) == (first, process)
    second, same_process = texts_of(keeper, two, StageKind.SAMPLING)
    assert (same_process, second != first) == (process, True)
    keeper.end()
    with pytest.raises(ProcessLookupError):
        os.killpg(process, 0)
    fresh, other_process = texts_of(keeper, two, StageKind.SAMPLING)
    assert (fresh, other_process != process) == (second, True)


def test_a_tied_head_is_served_by_another_process(keeper: EngineKeeper, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(BASE, copy)
    first, process = texts_of(keeper, BASE, StageKind.SAMPLING)
    again, other_process = texts_of(keeper, copy, StageKind.SAMPLING)
    assert (again, other_process != process) == (first, True)
