"""What an export gives out, a block of whole lines at a time: a training set from its file, verdicts with their samples from
Postgres, which builds the lines."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import IO, Any

from django.db import connection

from curation.models import Iteration, TrainingSet
from curation.models.exports import ExportKind
from curation.stages import assembly, drafts
from curation.stages.errors import InputError
from curation.stages.filtering import ORDERS, VerdictFilter, matching
from toolcalls.exporting import trl_spliced
from toolcalls.prompts import REFINE_PROMPT
from toolcalls.records import Sample
from toolcalls.selection import truth_text
from toolcalls.settings import Settings
from toolcalls.wire import call_from_json

TURNS: Mapping[str, int] = {ExportKind.POOL: 0, ExportKind.PAIRS: 1}
BLOCK = 2**19  # bytes of a training set's file that are read at a time
ROWS = 250  # verdicts that are read at a time
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


# A sample as `import_dataset` reads it, and what the iteration found out about it. Its content is spliced in as it is stored.
_LINES = """
SELECT left(sv.content::text, -1) || ', ' || substr(row_to_json(found)::text, 2) {more}
FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS chosen (id, place)
JOIN curation_verdict v ON v.id = chosen.id
JOIN curation_sampleversion sv ON sv.id = v.version_id
{pairs}
LEFT JOIN curation_decision d ON d.run_id = %(run)s AND d.sample_id = v.sample_id AND d.turn = v.turn AND d.undone_at IS NULL
    AND (d.turn = 0 OR d.iteration_id = v.iteration_id)
CROSS JOIN LATERAL (
    SELECT sv.number AS version, sv.sha256, (
        SELECT row_to_json(judged) FROM (
            SELECT v.outcome, v.attempts, v.exact_hits, v.approximate_hits, v.first_hit, v.reason, v.reasons, v.other_answer,
                   v.other_count, v.comparator
        ) AS judged
    ) AS verdict, CASE WHEN d.id IS NOT NULL THEN (
        SELECT row_to_json(decided) FROM (
            SELECT d.kind, d.why, d.at
        ) AS decided
    ) END AS decision {fields}
) AS found
ORDER BY chosen.place
"""
POOL_LINES = _LINES.format(more="", pairs="", fields="")
PAIR_LINES = _LINES.format(
    more=""", sv.content->>'truth', sv.content->>'truth_text', p.identical_exact, p.first_answer""",
    pairs="JOIN curation_refinepair p ON p.iteration_id = v.iteration_id AND p.version_id = v.version_id",
    fields=", v.change, p.identical_exact, p.identical_text, p.first_answer, %(refine_prompt)s::text AS refine_prompt",
)


def verdicts(iteration: Iteration, f: VerdictFilter) -> Blocks:
    """A line per verdict that the filter finds now, in its order; each line says what is decided when it is written.

    Which verdicts is decided by one query, whose answer, eight bytes each, is kept; no query takes long or stays open.
    """
    names = {"run": iteration.run_id, "refine_prompt": REFINE_PROMPT}
    line = _pair_line(iteration.run.choices) if f.turn else _pool_line
    statement = PAIR_LINES if f.turn else POOL_LINES
    ids = _found(iteration, f)
    for start in range(0, len(ids), ROWS):
        with connection.cursor() as cursor:
            cursor.execute(statement, {**names, "ids": list(ids[start : start + ROWS])})
            rows = cursor.fetchall()
        yield "".join(map(line, rows)).encode()


def _found(iteration: Iteration, f: VerdictFilter) -> array[int]:
    column = ORDERS[f.order]
    order = ["pk"] if column == "id" else [column, "pk"]
    if f.order.startswith("-"):
        order = [f"-{name}" for name in order]
    return array("q", matching(iteration, f).order_by(*order).values_list("pk", flat=True).iterator(10_000))


def _pool_line(row: tuple[Any, ...]) -> str:
    return f"{row[0]}\n"


def _pair_line(settings: Settings) -> Callable[[tuple[Any, ...]], str]:
    """The line with its target: the truth as text, as the pair's training row has it."""
    stop_as_written = settings.stop_target == "first_answer"

    def write(row: tuple[Any, ...]) -> str:
        line, truth, text, identical, first_answer = row
        as_written = stop_as_written and identical and truth is not None
        target = first_answer if as_written else _target(truth, text)
        return f'{line[:-1]},"target":{json.dumps(target, ensure_ascii=False)}}}\n'

    return write


def _target(truth: str | None, text: str | None) -> str:
    calls = tuple(call_from_json(call) for call in json.loads(truth)) if truth is not None else ()
    return truth_text(Sample("", (), (), calls or None, text))
