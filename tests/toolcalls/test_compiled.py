"""toolcalls compiled (packaging/toolcalls) says what it says in plain Python, and passes the same tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.toolcalls.verdicts import verdicts

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "packaging" / "toolcalls" / "build.py"
# It counts in a subclass, which a compiled class cannot have.
UNLIKE = ("--deselect", "tests/toolcalls/test_partners.py::test_work_grows_with_the_calls_where_hashes_decide")
CANNOT = 3  # the script's exit code where nothing can compile

pytestmark = [pytest.mark.long, pytest.mark.process]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the compiled package was unpacked into."""
    folder = tmp_path_factory.mktemp("compiled")
    command = [sys.executable, BUILD, "--compiled", "--into", folder / "wheel", "--unpacked", folder]
    built = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if built.returncode == CANNOT:
        pytest.skip(built.stderr)
    assert not built.returncode, built.stderr
    return folder


def of_compiled(folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a module with the compiled package and, for the rest, with this folder's."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    environment.pop("DJANGO_SETTINGS_MODULE", None)  # of this session: another one's conftest sets its own
    return subprocess.run(
        [sys.executable, "-P", "-m", *arguments],
        check=False,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("seed", [11, 12])
def test_both_builds_say_the_same_of_mutated_answers(compiled: Path, seed: int) -> None:
    said = of_compiled(compiled, ["tests.toolcalls.verdicts", str(seed), "20000"]).stdout
    assert said.split() == ["True", verdicts(seed, 20_000)]


@pytest.mark.timeout(1200)
def test_the_compiled_build_passes_the_tests_of_toolcalls(compiled: Path) -> None:
    options = ("-o", f"pythonpath={compiled}", "-o", "django_find_project=false", "-p", "no:cacheprovider", "-q")
    run = of_compiled(compiled, ["pytest", *options, *UNLIKE, "tests/toolcalls", "-m", "not (long or db or process)"])
    assert not run.returncode, run.stdout[-5000:]
