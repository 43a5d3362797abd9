"""The wheel of toolcalls; with TOOLCALLS_COMPILED=1 what reads and compares is compiled from the same sources by mypyc."""

import os
from pathlib import Path

from setuptools import setup

COMPILED = (
    *("answers", "canonical", "comparing", "equality", "expected", "expressions", "finding", "identity", "limits", "literals"),
    *("mentions", "nearing", "pairing", "parsing", "partners", "places", "plain_answers", "plain_json", "plain_lists"),
    *("plain_marks", "plain_patterns", "plain_values", "schema", "sides", "storing", "wrapping"),
)
# Of the official scorers, what reads and checks BFCL's Python calls: none of it calls itself without a bound.
OFFICIAL = (
    *("plain_calls", "scored", "unreadable"),
    *(f"bfcl/{name}" for name in ("categories", "checking", "decoding", "languages", "scoring", "typed", "values", "wrong")),
)

INLINED = ["-fvisibility=hidden", "-fno-semantic-interposition"]  # functions of one library may be a part of each other


def extensions() -> list:
    if os.environ.get("TOOLCALLS_COMPILED") != "1":
        return []
    from mypyc.build import mypycify

    official = (f"official/{name}" for name in OFFICIAL)
    modules = [f"toolcalls/{name}.py" for name in (*COMPILED, *official)]
    dialects = sorted(str(path) for path in Path("toolcalls/dialects").glob("*.py"))
    made = mypycify([*modules, *dialects], opt_level="2", debug_level="0")
    for extension in made if os.name == "posix" else ():
        extension.extra_compile_args += INLINED
    return made


setup(ext_modules=extensions())
