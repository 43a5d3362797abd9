"""Started once per process of a training: fits a model by each of the given settings, one after another, and keeps what came out.

python sharded_fits.py BASE ROWS CASES OUT   RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT are in the environment
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.distributed.tensor import DTensor

from toolcalls.settings import Training
from trainer.encoding import EncodedRow
from trainer.fitting import Progress, fit
from trainer.methods import load_base
from trainer.points import Points


def main(base: Path, rows_file: Path, cases_file: Path, out: Path) -> None:
    rows = [EncodedRow(*row[:2], tuple(row[2]), *row[3:]) for row in json.loads(rows_file.read_text())]
    for name, (settings, kept, forgotten) in json.loads(cases_file.read_text()).items():
        training, points = Training(**settings), Points(out / kept, {})
        if forgotten:
            shutil.rmtree(points.folder / f"checkpoint-{forgotten}", ignore_errors=True)
            torch.distributed.barrier()
        steps: list[Progress] = []
        fitted = fit(load_base(base, training), rows, training, seed=3, points=points, report=steps.append)
        weights = list(fitted.model.parameters())
        held = sum(weight.to_local().numel() for weight in weights if isinstance(weight, DTensor))
        if torch.distributed.get_rank() == 0:
            save_file(fitted.weights, out / f"{name}.safetensors")
            told = {"losses": fitted.losses, "began_after": fitted.began_after, "norms": [step.grad_norm for step in steps]}
            told["held"] = held / sum(weight.numel() for weight in weights)
            (out / f"{name}.json").write_text(json.dumps(told))
        else:
            assert not fitted.weights, "only the first process gets the weights"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
