"""The same measurement of toolcalls compiled, by a process of its own, since one process can import it once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "packaging" / "toolcalls" / "build.py"


def of_compiled(folder: Path, module: str, options: Sequence[str]) -> dict[str, Any] | str:
    """What a measurement reports with --alone and the toolcalls of a folder, which is built where it is not there."""
    if not (folder / "toolcalls").is_dir():
        command = [sys.executable, BUILD, "--compiled", "--into", folder / "wheel", "--unpacked", folder]
        built = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if built.returncode:
            return f"not measured: {built.stderr.strip()}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    command = [sys.executable, "-P", "-m", module, "--alone", *options]
    found = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    report: dict[str, Any] = json.loads(found.stdout)
    assert report["toolcalls"] == "compiled"
    return report
