"""Training where there is a GPU. Needs torch, transformers, peft and accelerate alone:

python -m pytest --noconftest -c /dev/null --rootdir . tests/gpu
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from toolcalls.settings import Training
from trainer.encoding import EncodedRow
from trainer.fitting import Fitted, fit
from trainer.methods import load_base
from trainer.points import Points

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")]

TRAINING = Training(learning_rate=1e-2, batch_rows=8, device_rows=4, checkpoint_steps=2, kernels="plain")
ANSWER = (7, 8, 9, 7, 8, 9)
ROWS = [
    EncodedRow(str(n), "direct", tuple((7 * n + 3 * place) % 985 + 15 for place in range(30 + n)) + ANSWER, 30 + n, ())
    for n in range(32)
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=1000, hidden_size=256, intermediate_size=512, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2
    )
    folder = tmp_path_factory.mktemp("base")
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    return folder


def fitted(base: Path, training: Training, **more: Any) -> Fitted:
    return fit(load_base(base, training), ROWS, training, seed=0, **more)


def differences(one: Fitted, other: Fitted) -> list[float]:
    return [abs(mine - theirs) for mine, theirs in zip(one.losses, other.losses, strict=True)]


def test_an_adapter_is_trained_in_bfloat16(base: Path) -> None:
    told: list[Any] = []
    trained = fitted(base, TRAINING, report=told.append)
    assert len(trained.losses) == 4 and trained.losses[-1] < trained.losses[0]
    assert {weight.dtype for weight in trained.weights.values()} == {torch.float32}
    assert told[-1].memory_bytes == torch.cuda.max_memory_allocated()


def test_checkpointed_gradients_learn_the_same(base: Path) -> None:
    on, off = (fitted(base, replace(TRAINING, dtype="float32", gradient_checkpointing=how)) for how in ("on", "off"))  # type: ignore[arg-type]
    assert max(differences(on, off)) < 1e-3


def test_a_training_goes_on_from_its_point(base: Path, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def die(progress: Any) -> None:
        if progress.step == 3:
            raise Killed

    exact = replace(TRAINING, dtype="float32")
    with pytest.raises(Killed):
        fitted(base, exact, points=Points(tmp_path, {}), report=die)
    again = fitted(base, exact, points=Points(tmp_path, {}))
    assert again.began_after == 2
    assert max(differences(again, fitted(base, exact))) < 1e-3


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="no bitsandbytes")
def test_an_adapter_is_trained_on_four_bits(base: Path) -> None:
    trained = fitted(base, replace(TRAINING, method="qlora"))
    assert trained.losses[-1] < trained.losses[0]
    assert {weight.dtype for weight in trained.weights.values()} == {torch.float32}


def test_every_weight_is_trained(base: Path) -> None:
    trained = fitted(base, replace(TRAINING, method="full"))
    assert trained.losses[-1] < trained.losses[0]


@pytest.mark.skipif(importlib.util.find_spec("liger_kernel") is None, reason="no liger_kernel")
def test_ligers_kernels_learn_the_same(base: Path) -> None:
    plain, liger = (fitted(base, replace(TRAINING, kernels=kernels)) for kernels in ("plain", "auto"))  # type: ignore[arg-type]
    assert max(differences(plain, liger)) < 0.05
