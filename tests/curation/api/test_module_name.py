"""Two packages call their module `ninja`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_site_that_finds_the_build_tool_says_how_to_mend_it(tmp_path: Path) -> None:
    (tmp_path / "ninja").mkdir()
    (tmp_path / "ninja" / "__init__.py").write_text("BIN_DIR = ''\n")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    command = [sys.executable, "-c", "import curation.api"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "pip install --no-deps --force-reinstall" in done.stderr
