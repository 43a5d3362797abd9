"""Faults by the seed, in small: `make chaos` is the same with many more (bench/chaos)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.chaos.faults import KINDS, QUICK, draw

ROOT = Path(__file__).resolve().parents[2]


def chaos(report: Path, *options: str) -> dict[str, object]:
    """The report of bench.chaos. Its own Postgres and Valkey, so nothing of the tests' settings is handed on."""
    ours = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "WHETSTONE_VAR")}
    command = [sys.executable, "-m", "bench.chaos", "--report", str(report), *options]
    done = subprocess.run(command, check=False, cwd=ROOT, env=ours, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(report.read_text()))


def test_faults_are_the_same_for_the_same_seed_and_none_is_left_out() -> None:
    assert draw(3, 50) == draw(3, 50) != draw(4, 50)
    assert {fault.kind for fault in draw(3, len(KINDS))} == {*KINDS}


@pytest.mark.chaos
@pytest.mark.process
@pytest.mark.timeout(600)
def test_a_run_under_faults_is_the_undisturbed_one_to_the_bit(tmp_path: Path) -> None:
    report = chaos(tmp_path / "report.json", "--faults", str(len(QUICK)), "--quick")
    assert report["complaints"] == []
    assert len(report["hits"]) == len(QUICK)  # type: ignore[arg-type]


@pytest.mark.chaos
@pytest.mark.long
@pytest.mark.vllm
def test_no_row_of_vllm_is_lost_or_doubled_under_faults(tmp_path: Path) -> None:
    report = chaos(tmp_path / "report.json", "--faults", "6", "--quick", "--engine", "vllm")
    assert report["complaints"] == []


@pytest.mark.chaos
@pytest.mark.long
def test_runs_on_device_groups_under_faults_are_the_undisturbed_one_to_the_bit(tmp_path: Path) -> None:
    report = chaos(tmp_path / "report.json", "--faults", str(len(QUICK)), "--quick", "--devices", "2")
    assert report["complaints"] == []
