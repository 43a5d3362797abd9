"""Memory of the devices: read from nvidia-smi, and waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainer.engines.protocol import EngineError
from worker.memory import memory_in_use, wait_until_free

pytestmark = pytest.mark.process


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name which says what `said` holds, and writes its arguments into `asked`."""
    program = tmp_path / "nvidia-smi"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncat {tmp_path}/said\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path


def test_memory_is_told_by_device(nvidia_smi: Path) -> None:
    (nvidia_smi / "said").write_text("GPU-a1, 1024\nGPU-b2, 0\n")
    assert memory_in_use() == {"GPU-a1": 1024, "GPU-b2": 0}
    assert " -i " not in (nvidia_smi / "asked").read_text()


def test_only_this_workers_devices_are_asked_for(nvidia_smi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nvidia_smi / "said").write_text("GPU-b2, 7\n")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert memory_in_use() == {"GPU-b2": 7}
    assert (nvidia_smi / "asked").read_text().endswith("-i 2,3\n")


@pytest.mark.parametrize("said", ["", "No devices were found\n", "GPU-a1, [N/A]\n"])
def test_nothing_is_told_where_nothing_can_be_read(nvidia_smi: Path, said: str) -> None:
    (nvidia_smi / "said").write_text(said)
    assert memory_in_use() == {}


def test_nothing_is_told_without_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert memory_in_use() == {}


def test_memory_that_stays_in_use_is_an_error_that_names_the_device() -> None:
    before, now = {"GPU-a1": 1_000, "GPU-b2": 1_000}, {"GPU-a1": 1_400, "GPU-b2": 9_000}
    with pytest.raises(EngineError, match=r"in use: GPU-b2 8000 MiB\. Something else works on"):
        wait_until_free(before, lambda: now, patience=0.0)


def test_a_device_that_has_vanished_is_not_waited_for() -> None:
    wait_until_free({"GPU-a1": 1_000}, dict, patience=0.0)
