"""A held-out split that stands in a file, taken for a benchmark: its samples, right by A = A′."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from pathlib import Path

from toolcalls.benchmarks.catalogue import Benchmark
from toolcalls.benchmarks.files import FileRead
from toolcalls.benchmarks.heldout import heldout_items
from toolcalls.benchmarks.items import HELDOUT, Item, item_to_json
from toolcalls.comparing import comparator_of
from toolcalls.errors import InputError
from toolcalls.settings import Settings
from trainer.arguments import samples_of


def open_heldout(arguments: argparse.Namespace, settings: Settings) -> Benchmark:
    """The samples of --in, by the settings' rules; what calls nothing is left out unless no_call_policy is any_no_call.

    Its digest is over what is asked and compared, so other rules or another --split make it another one. Raises InputError.
    """
    path = Path(arguments.input)
    samples = [one for one in samples_of(arguments) if one.truth is not None or settings.no_call_policy == "any_no_call"]
    if not samples:
        raise InputError(f"{path}: no sample's truth calls anything; --settings with no_call_policy any_no_call takes such, too.")
    if twice := [name for name, count in Counter(one.id for one in samples).items() if count > 1]:
        raise InputError(f"{path}: the id {twice[0]!r} stands there twice; each sample needs its own.")
    items = heldout_items(samples, comparator_of(settings))
    read = FileRead(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), known=True)
    return Benchmark(HELDOUT, items, (read,), _digest(items))


def _digest(items: tuple[Item, ...]) -> str:
    digest = hashlib.sha256()
    for item in items:
        digest.update(json.dumps(item_to_json(item), ensure_ascii=False).encode())
    return digest.hexdigest()
