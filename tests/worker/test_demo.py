"""The demonstration from end to end in its smallest size, and what it says of a second one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
SIZE = ["--pool", "24", "--heldout", "8", "--k", "2", "--iterations", "1", "--workers", "1"]
STAGES = ("evaluation", "sampling", "refinement", "selection", "training")

pytestmark = [pytest.mark.db, pytest.mark.chaos]


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Servers of its own, as on a fresh machine."""
    ours = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEMO")}
    return {**ours, "WHETSTONE_VAR": str(tmp_path_factory.mktemp("demo")), "WEB_PORT": "18431", "PYTHONUNBUFFERED": "1"}


def manage(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture(scope="module")
def first(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Interrupted once its base is evaluated, then taken up again: its last lines."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "demo", *SIZE],
        cwd=PROJECT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as interrupted:
        for line in lines(interrupted):
            if line.startswith("  evaluation"):
                interrupted.send_signal(signal.SIGTERM)
    assert interrupted.returncode == 130
    return manage("demo", *SIZE, environ=environ)


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout


def test_interrupted_demonstration_goes_on_to_its_table(first: subprocess.CompletedProcess[str], environ: dict[str, str]) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Going on with run 1" in first.stdout
    for stage in STAGES[1:]:
        assert f"\n  {stage}" in first.stdout
    header, rule, base, last = first.stdout.rstrip().splitlines()[-4:]
    assert header.split()[:2] == ["iteration", "pool"]
    assert set(rule) == {"-"}
    assert base.split()[:2] == ["0", "24"]
    assert last.split()[:2] == ["1", "24"]
    assert "learning rate 0.002 (paper: 1e-4), batch 8 (paper: 64)" in first.stdout


def test_report_has_the_rows_and_the_settings(first: subprocess.CompletedProcess[str], environ: dict[str, str]) -> None:
    report = json.loads(Path(environ["WHETSTONE_VAR"], "demo", "report.json").read_text())
    assert set(report) == {"iterations", "settings"}
    base, one = report["iterations"]
    assert (base["iteration"], base["selected_direct"], base["selected_refine"]) == (0, None, None)
    assert one["pool"] == 24
    assert set(STAGES) <= set(one["seconds"])
    low, high = one["heldout_direct_interval"]
    assert low <= one["heldout_direct"] <= high
    assert report["settings"]["k"] == 2
    assert report["settings"]["training"]["learning_rate"] == 2e-3


def test_finished_demonstration_is_shown_again(first: subprocess.CompletedProcess[str], environ: dict[str, str]) -> None:
    began = time.monotonic()
    again = manage("demo", *SIZE, environ=environ)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "DEMO=new" in again.stdout
    assert again.stdout.splitlines()[-4:] == first.stdout.splitlines()[-4:]
    assert time.monotonic() - began < 60


def test_demonstration_refuses_words_it_does_not_know(first: subprocess.CompletedProcess[str], environ: dict[str, str]) -> None:
    refused = manage("demo", *SIZE, environ={**environ, "DEMO": "again"})
    assert refused.returncode != 0
    assert "continue or new" in refused.stderr
