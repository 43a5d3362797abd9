"""What an export gives out, a block of whole lines at a time: a training set from its file, verdicts from Postgres."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Generator, Iterator, Mapping
from typing import IO

from curation.models import Iteration, TrainingSet
from curation.models.exports import ExportKind
from curation.stages import assembly, drafts
from curation.stages.errors import InputError
from curation.stages.export_lines import verdict_lines
from curation.stages.filtering import ORDERS, VerdictFilter, matching
from toolcalls.exporting import trl_spliced

TURNS: Mapping[str, int] = {ExportKind.POOL: 0, ExportKind.PAIRS: 1}
BLOCK = 2**19  # bytes of a training set's file that are read at a time
ROWS = 500  # verdicts that are read at a time
Blocks = Generator[bytes, None, None]


class DamagedFile(InputError):
    """The file of a training set is not what was frozen. It was removed, so that the next export writes it anew; what this
    one gave out so far is not to be used."""


def training_set(frozen: TrainingSet, kind: str) -> Blocks:
    """The frozen rows in the order of training. Raises DamagedFile, before the last block, when the file is not whole."""
    path = assembly.usable_file(frozen)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        held = b""
        for block in _whole_lines(file):
            digest.update(block)
            if held:
                yield held
            held = block if kind == "whetstone" else _spliced(block)
        if digest.hexdigest() != frozen.file_sha256:
            drafts.remove(path)
            raise DamagedFile(f"the file of the training set of iteration {frozen.iteration.number} was damaged; export it again")
        yield held


def _whole_lines(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block + file.readline()


def _spliced(block: bytes) -> bytes:
    return b"".join(trl_spliced(line) + b"\n" for line in block.splitlines())


def verdicts(iteration: Iteration, f: VerdictFilter) -> Blocks:
    """A line per verdict that the filter finds now, in its order; each line says what is decided when it is written.

    Which verdicts is decided by one query, whose answer, eight bytes each, is kept; no query takes long or stays open.
    """
    ids = _found(iteration, f)
    for start in range(0, len(ids), ROWS):
        chosen = ids[start : start + ROWS].tolist()
        lines = verdict_lines(iteration, f.turn, chosen)
        yield "".join(lines[number] for number in chosen).encode()


def _found(iteration: Iteration, f: VerdictFilter) -> array[int]:
    column = ORDERS[f.order]
    order = ["pk"] if column == "id" else [column, "pk"]
    if f.order.startswith("-"):
        order = [f"-{name}" for name in order]
    return array("q", matching(iteration, f).order_by(*order).values_list("pk", flat=True).iterator(10_000))
