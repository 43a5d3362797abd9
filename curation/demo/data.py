"""The demonstration's data: a pool and a held-out set of the synthetic tool world, drawn by the trainer's own command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from curation.demo.cast import Cast
from curation.demo.options import DemoOptions
from curation.models import DatasetRevision
from curation.models.datasets import Split
from curation.stages.importing import import_dataset
from toolcalls.errors import InputError

HELDOUT_SEED = 0  # the same held-out set for every run of a size, so that runs compare
Rewrite = Callable[[Path], Path]


def revision(cast: Cast, options: DemoOptions, *, name: str = "pool", rewrite: Rewrite | None = None) -> DatasetRevision:
    """The data set of these options, imported once. `rewrite` makes another pool file out of the drawn one."""
    title = f"tiny world {name} {options.pool}+{options.heldout} seed {options.seed}"
    found = (
        DatasetRevision.objects.filter(dataset__project=cast.project, dataset__name=title, train__gt=0, heldout__gt=0)
        .order_by("-number")
        .first()
    )
    if found is not None:
        return found
    pool = draw(Split.TRAIN, options.pool, options.seed)
    heldout = draw(Split.HELDOUT, options.heldout, HELDOUT_SEED)
    import_dataset(cast.project, title, rewrite(pool) if rewrite else pool, split=Split.TRAIN, by=cast.owner)
    report = import_dataset(cast.project, title, heldout, split=Split.HELDOUT, by=cast.owner, append=True)
    return report.revision


def draw(split: str, count: int, seed: int) -> Path:
    """Have `count` samples of the hard tier written to var/demo. Raises InputError with what the command said."""
    folder = settings.VAR / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    out: Path = folder / f"{split}-{count}-{seed}.jsonl"
    values = {"--setting": "hard", "--split": split, "--count": str(count), "--seed": str(seed), "--out": str(out)}
    command = [sys.executable, "-m", "trainer.tiny", "world", *(part for pair in values.items() for part in pair)]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"the samples could not be drawn: {done.stderr.strip() or done.stdout.strip()}")
    return out
