"""What a process has loaded after an import: the slim packages stay slim, whatever import-linter cannot see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process
ROOT = Path(__file__).resolve().parents[2]
TENSORS = {"torch", "transformers", "peft", "vllm", "accelerate", "trainer", "worker"}
SERVERS = {"django", "celery", "psycopg", "redis", "curation", "worker"}


def loaded_after(statement: str) -> set[str]:
    """Top-level modules in a fresh process."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True).stdout.split())


def test_curation_loads_no_tensors() -> None:
    setup = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'curation.settings'; import django; django.setup()"
    assert not loaded_after(f"{setup}; import curation.urls, curation.celery, curation.asgi") & TENSORS


def test_services_load_no_django() -> None:
    assert not loaded_after("import curation.services.supervisor") & {"django", "celery"}


def test_the_paper_s_rules_load_neither_servers_nor_tensors() -> None:
    modules = sorted(f"toolcalls.{path.stem}" for path in (ROOT / "toolcalls").glob("[a-z]*.py"))
    assert len(modules) > 20
    assert not loaded_after(f"import {', '.join(modules)}") & (SERVERS | TENSORS | {"jinja2", "numpy"})


@pytest.mark.parametrize("module", ["cli", "serving", "checkpoints", "models", "engines.registry", "engines.scripted"])
def test_the_trainer_s_light_modules_load_neither_servers_nor_torch(module: str) -> None:
    heavy = {"torch", "transformers", "peft", "vllm", "accelerate", "httpx"}
    assert not loaded_after(f"import trainer.{module}") & (SERVERS | heavy)


def test_an_engine_behind_a_server_loads_no_torch() -> None:
    assert not loaded_after("import trainer.engines.openai") & (SERVERS | {"torch", "transformers", "peft", "vllm", "accelerate"})
