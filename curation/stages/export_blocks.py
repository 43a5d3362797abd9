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
from curation.stages.export_ahead import Ahead
from curation.stages.export_lines import queries, verdict_lines
from curation.stages.filtering import VerdictFilter, in_order, matching
from toolcalls.exporting import trl_spliced

TURNS: Mapping[str, int] = {ExportKind.POOL: 0, ExportKind.PAIRS: 1}
BLOCK = 2**19  # bytes of a training set's file that are read at a time
ROWS = 1000  # verdicts of a block
CHUNK = 250  # of them, that Postgres is asked for at a time
LOOK = 20  # lines that are written between two looks at what Postgres has sent
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
    ids = array("q", in_order(matching(iteration, f), f.order).values_list("pk", flat=True).iterator(10_000))
    for start in range(0, len(ids), ROWS):
        chosen = ids[start : start + ROWS].tolist()
        yield _lines(iteration, f.turn, chosen)


def _lines(iteration: Iteration, turn: int, chosen: list[int]) -> bytes:
    lines: dict[int, bytes] = {}
    settings = iteration.run.choices
    chunks = (chosen[start : start + CHUNK] for start in range(0, len(chosen), CHUNK))
    with Ahead(queries(iteration, turn), chunks) as found:
        for rows in found:
            for pk, line in verdict_lines(settings, *rows):
                lines[pk] = line
                if not len(lines) % LOOK:
                    found.take_in()
    return b"".join(lines[pk] for pk in chosen)
