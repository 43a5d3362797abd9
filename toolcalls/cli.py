"""`python -m toolcalls`: read calls, compare them, score them as benchmarks do. JSON out, one object a line.

Exit codes: 0 done, 2 something given could not be used; what, is told on standard error as {"error": …}.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from toolcalls.commands import comparing, parsing, scoring
from toolcalls.commands.json_lines import failed
from toolcalls.errors import InputError

_COMMANDS = {
    "parse": (parsing, "what an answer calls"),
    "compare": (comparing, "how far outputs are from their truths"),
    "score": (scoring, "what a benchmark's own scorer says"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit code."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = _COMMANDS[arguments.command][0].run(arguments)
    except InputError as error:
        return failed(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the answers has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it flushes at the end
        return 141
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m toolcalls", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (command, purpose) in _COMMANDS.items():
        command.add_arguments(commands.add_parser(name, help=purpose, description=command.__doc__))
    return parser
