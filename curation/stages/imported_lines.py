"""The lines of a file of answers, each held against what the stage asks: they become rows, or are left out with a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from curation.models import ImportedAnswer, SampleVersion, Stage
from curation.stages.batch_requests import attempts_of, kept, requests_of, turn_number, turn_of
from curation.stages.copying import copy_rows, storable
from curation.stages.errors import InputError
from curation.stages.jobs import GREEDY_ATTEMPT
from toolcalls.batches import GREEDY, TURNS, prompt_digest
from toolcalls.importing import RowError
from toolcalls.outputs import Output, read_outputs

BATCH = 1000  # answers whose requests are held at a time
SHOWN_ERRORS = 20  # in the message that refuses a file
UNKNOWN_SEED = -1  # of answers to no request of ours
COLUMNS = ("stage_id", "version_id", "attempt", "text", "finish_reason", "prompt_tokens", "completion_tokens", "seed")


class Asked(NamedTuple):
    """An attempt that the stage waits for."""

    version: int
    seed: int
    digest: str  # of its prompt


@dataclass(slots=True)
class Taken:
    """How many answers were taken, how many lines left out, and why the first of these."""

    taken: int = 0
    left_out: int = 0
    errors: list[str] = field(default_factory=list)

    def leave_out(self, line: str) -> None:
        self.left_out += 1
        if len(self.errors) < SHOWN_ERRORS:
            self.errors.append(line)


class Taking:
    """Takes the answers of one file into the stage's, a batch at a time."""

    def __init__(self, stage: Stage, report: Taken, where: str, attempt: int, on_progress: Callable[[int], None] | None) -> None:
        self._stage, self._report, self._where, self._attempt, self._on_progress = stage, report, where, attempt, on_progress
        self._pool = {version for shard in stage.shards.all() for version in shard.versions}

    def take(self, file: Iterable[bytes], format: str) -> None:  # noqa: A002
        read, outputs = 0, read_outputs(file, format)
        while lines := list(islice(outputs, BATCH)):
            self._take(lines)
            read += len(lines)
            if self._on_progress:
                self._on_progress(read)

    def _take(self, lines: Sequence[Output | RowError]) -> None:
        outputs = [line for line in lines if isinstance(line, Output)]
        asked = self._asked({output.key for output in outputs})
        here = self._here(asked)
        rows: list[tuple[object, ...]] = []
        for line in lines:
            try:
                rows.append(self._row(line, asked, here))
            except InputError as error:
                self._report.leave_out(f"{self._where}line {line.line}: {error}")
        self._report.taken += copy_rows(ImportedAnswer, COLUMNS, rows)

    def _asked(self, keys: Collection[str]) -> dict[str, dict[int, Asked]]:
        """Key → attempt → what the stage asks there; keys that are not in the stage are missing."""
        found = SampleVersion.objects.filter(
            sample__dataset=self._stage.iteration.run.dataset_id, sample__key__in=[storable(key) for key in keys]
        )
        versions = {version: key for version, key in found.values_list("pk", "sample__key") if version in self._pool}
        asked: dict[str, dict[int, Asked]] = {key: {} for key in versions.values()}
        for request in requests_of(self._stage, list(versions)):
            version, digest = abs(int(request.id)), prompt_digest(request.messages)
            for attempt, seed in attempts_of(request):
                asked[versions[version]][attempt] = Asked(version, seed, digest)
        return asked

    def _here(self, asked: Mapping[str, Mapping[int, Asked]]) -> set[tuple[int, int]]:
        """(version, attempt) of the answers that were imported before."""
        versions = {each.version for attempts in asked.values() for each in attempts.values()}
        return set(kept(self._stage, list(versions)).values_list("version_id", "attempt"))

    def _row(
        self, line: Output | RowError, asked: Mapping[str, Mapping[int, Asked]], here: set[tuple[int, int]]
    ) -> tuple[object, ...]:
        """Raises InputError for an answer that the stage has no place for."""
        if isinstance(line, RowError):
            raise InputError(line.message)
        wanted = self._wanted(line, asked)
        attempt = self._attempt_of(line)
        if (wanted.version, attempt) in here:
            raise InputError(f"{_named(attempt)} of sample {line.key[:80]!r} is here already")
        here.add((wanted.version, attempt))
        said, seed = line.said, UNKNOWN_SEED if line.turn is None else wanted.seed
        counts = (said.prompt_tokens, said.completion_tokens)
        return (self._stage.pk, wanted.version, attempt, storable(said.text), said.finish_reason, *counts, seed)

    def _attempt_of(self, line: Output) -> int:
        if line.turn is None:
            return self._attempt
        return GREEDY_ATTEMPT if line.attempt is None else line.attempt

    def _wanted(self, line: Output, asked: Mapping[str, Mapping[int, Asked]]) -> Asked:
        """What the line answers."""
        turn, attempt, sample = turn_of(self._stage), self._attempt_of(line), f"sample {line.key[:80]!r}"
        if line.turn not in (None, turn_number(self._stage)):
            raise InputError(f"an answer of the {TURNS[line.turn]} turn, and the run waits for the {turn} turn")
        if line.key not in asked:
            raise InputError(f"{sample} is not in this iteration's pool")
        if not asked[line.key]:
            raise InputError(f"{sample} has no first answer that could be refined: nothing is asked of it")
        wanted = asked[line.key].get(attempt)
        if wanted is None:
            last = max(asked[line.key])
            raise InputError(f"{_named(attempt)} of {sample}: the run asks for attempts 0 to {last}")
        if line.digest not in ("", wanted.digest):
            raise InputError(f"{_named(attempt)} of {sample} answers another prompt than this run's; export the requests anew")
        return wanted


def _named(attempt: int) -> str:
    return f"the {GREEDY} attempt" if attempt == GREEDY_ATTEMPT else f"attempt {attempt}"
