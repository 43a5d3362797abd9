"""Build wheels of toolcalls alone: the plain one, which is pure Python, and the compiled one, for this Python and machine.

python packaging/toolcalls/build.py [--compiled] [--into dist] [--unpacked DIR]      prints the wheel's path
--unpacked: also a folder that the package is put into, to be named in PYTHONPATH. The compiled one needs mypy and a C compiler;
without them the exit code is 3. Nothing of Whetstone needs the compiled one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CANNOT = 3
NOT_SOURCES = shutil.ignore_patterns("__pycache__", "*.so")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--into", type=Path, default=ROOT / "dist")
    parser.add_argument("--unpacked", type=Path)
    options = parser.parse_args()
    if options.compiled and (lacking := missing()):
        print(lacking, file=sys.stderr)
        sys.exit(CANNOT)
    made = wheel(options.into, compiled=options.compiled)
    if options.unpacked:
        zipfile.ZipFile(made).extractall(options.unpacked)
    print(made)


def missing() -> str:
    """What compiling lacks here."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if not shutil.which(compiler):
        return f"no C compiler ({compiler})"
    return "" if find_spec("mypyc") else "no mypy, which compiles"


def wheel(into: Path, *, compiled: bool) -> Path:
    """Build one in a folder that is thrown away. Raises CalledProcessError where that fails."""
    with tempfile.TemporaryDirectory() as folder:
        staged, made = Path(folder, "sources"), Path(folder, "made")
        shutil.copytree(HERE, staged, ignore=NOT_SOURCES)
        shutil.copytree(ROOT / "toolcalls", staged / "toolcalls", ignore=NOT_SOURCES)
        for name in ("LICENSE", "NOTICE"):
            shutil.copy(ROOT / name, staged)
        environment = {**os.environ, "TOOLCALLS_COMPILED": "1" if compiled else "", "SOURCE_DATE_EPOCH": "1767225600"}
        how = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir")
        command = [sys.executable, "-m", "pip", "wheel", *how, made, staged]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
        (found,) = made.iterdir()
        into.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(found, into / found.name))


if __name__ == "__main__":
    main()
