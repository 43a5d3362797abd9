"""What the demonstration leaves: the table, and the same as var/demo/report.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from curation.models import Run
from curation.stages.table import iteration_table
from toolcalls.settings import settings_json


def report(run: Run) -> dict[str, Any]:
    """{"iterations": […], "settings": {…}}; iteration 0 is the base, evaluated only."""
    about = {"run": run.pk, "name": run.name, "state": run.state, "base": run.base.name, "engine": run.engine.name}
    data = {"pool": run.revision.train, "heldout": run.revision.heldout, "dataset_sha256": run.revision.sha256}
    return {"iterations": iteration_table(run), "settings": {**about, **data, **settings_json(run.choices)}}


def write(document: Any, path: Path) -> Path:
    """Write JSON so that a reader finds the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return partial.replace(path)


def settings_line(run: Run) -> str:
    """The choices that differ from the paper's, in one line, with the paper's beside them."""
    chosen = run.choices
    training = chosen.training
    return (
        f"learning rate {training.learning_rate:g} (paper: 1e-4), batch {training.batch_rows} (paper: 64), "
        f"k = {chosen.k} (paper: 8), LoRA r = {training.lora_rank}, α = {training.lora_alpha}, "
        f"{training.dtype}, seed {chosen.seed}, pool {run.revision.train}, held-out {run.revision.heldout}. "
        "In brackets: 95 % intervals."
    )
