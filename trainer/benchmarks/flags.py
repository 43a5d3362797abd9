"""What `evaluate --benchmark` takes, beside the engine's flags."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from toolcalls.benchmarks.items import HELDOUT, NAMES
from toolcalls.benchmarks.outputs import MODES
from toolcalls.benchmarks.scoring import Missing
from toolcalls.errors import InputError

ADDRESS = ("http://", "https://")
_USUAL = dict.fromkeys(("data", "categories", "limit", "baseline", "name", "outputs", "mode")) | {
    "prompts": "paper",
    "missing": "refuse",
    "changed_files": "refuse",
}  # what the flags are where they are not given


def add_arguments(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group(
        "benchmarks", "--out is then a folder with traces and reports, and one that was begun is gone on with"
    )
    group.add_argument(
        "--benchmark", type=_listed, metavar="NAME[,NAME…]", help=f"of {', '.join((*NAMES, HELDOUT))}; {HELDOUT}: --in"
    )
    group.add_argument("--data", type=Path, metavar="DIR", help="folder of the benchmarks' files, see docs/benchmarks.md")
    group.add_argument("--categories", type=_listed, metavar="NAME[,NAME…]", help="only these, of one benchmark")
    group.add_argument("--prompts", choices=("paper", "own"), default="paper", help="Fig. 5, or the benchmark's own prompt")
    group.add_argument(
        "--limit", type=_items, metavar="N", help="only N items of each benchmark, spread over it; every result says so"
    )
    group.add_argument("--baseline", type=Path, metavar="FOLDER", help="another evaluation to compare with, item by item")
    group.add_argument("--name", help="of the model at the server, where --model is its address (http…)")
    group.add_argument("--outputs", type=Path, metavar="PATH", help="score these published results; no model is asked")
    group.add_argument("--mode", choices=MODES, help="of --outputs: text, or calls of a function-calling API")
    group.add_argument("--missing", choices=get_args(Missing), default="refuse", help="of --outputs: items without an answer")
    group.add_argument("--changed-files", choices=("refuse", "allow"), default="refuse", help="files of other bytes than known")


def check(arguments: argparse.Namespace) -> None:
    """Raises InputError for flags that do not go together."""
    _check_places(arguments)
    if len(set(arguments.benchmark)) < len(arguments.benchmark):
        raise InputError("--benchmark names one twice.")
    if arguments.categories and len(arguments.benchmark) > 1:
        raise InputError("--categories are those of one benchmark; evaluate one at a time.")
    if arguments.outputs is None and arguments.model is None:
        raise InputError("--model is needed: the model to ask.")
    if arguments.outputs is not None:
        _check_outputs(arguments)
    elif arguments.mode is not None or arguments.missing != "refuse":
        raise InputError("--mode and --missing are of --outputs, published results; a model that is asked answers every item.")


def _check_places(arguments: argparse.Namespace) -> None:
    """--in has the samples of a held-out split, --data the files of every other benchmark."""
    if arguments.input is None and HELDOUT in arguments.benchmark:
        raise InputError(f"--benchmark {HELDOUT} needs --in, the file of its samples.")
    if arguments.input is not None and HELDOUT not in arguments.benchmark:
        raise InputError(f"--in has the samples of --benchmark {HELDOUT}; others read theirs from --data.")
    if arguments.data is None and set(arguments.benchmark) != {HELDOUT}:
        raise InputError("--benchmark needs --data, the folder of its files.")
    if HELDOUT in arguments.benchmark and (arguments.categories or arguments.prompts == "own"):
        raise InputError(f"--categories and --prompts own are of other benchmarks; {HELDOUT} is asked whole, by Fig. 5.")


def check_without(arguments: argparse.Namespace) -> None:
    """Raises InputError where --benchmark is not given, and flags are that go with it."""
    if name := next((name for name, usual in _USUAL.items() if getattr(arguments, name) != usual), None):
        raise InputError(f"--{name.replace('_', '-')} goes with --benchmark; --in takes samples of files.")


def _check_outputs(arguments: argparse.Namespace) -> None:
    if arguments.model is not None:
        raise InputError("--outputs are answers that are there, and --model is to be asked; give one of them.")
    if len(arguments.benchmark) > 1:
        raise InputError("--outputs are those of one benchmark; score one at a time.")
    if arguments.limit is not None:
        raise InputError("--limit does not go with --outputs: all of them are scored; --categories may be chosen.")
    if arguments.refine_turns is not None:
        raise InputError("--n does not go with --outputs: their refine turns are as many as they hold.")


def name_server(arguments: argparse.Namespace) -> None:
    """Take a --model that is an address as a server of the openai engine. Raises InputError."""
    if arguments.model is None or not arguments.model.startswith(ADDRESS):
        if arguments.name:
            raise InputError("--name is the model's name at a server; give the server's address (http…) with --model.")
        return
    if not arguments.name:
        raise InputError(f"--model {arguments.model} is a server's address; give the model's name there with --name.")
    arguments.options = {"url": arguments.model, **arguments.options}
    arguments.engine, arguments.model = "openai", arguments.name


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _items(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"a whole number of items expected, at least 1, not {text!r}")
    return int(text)
