"""The two packages that never import each other hash a model's weights alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.stages import model_folder
from trainer import checkpoints


@pytest.mark.parametrize("files", [1, 2, 3])
def test_weights_have_one_sha256_in_record_and_trainer(tmp_path: Path, files: int) -> None:
    for number in range(files):
        (tmp_path / f"model-{number}.safetensors").write_bytes(bytes([number]) * 100)
    assert model_folder.weights_sha256(tmp_path) == checkpoints.weights_sha256(tmp_path)
