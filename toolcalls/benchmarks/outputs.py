"""What models answered elsewhere, read from published result files: BFCL's, ACEBench's, and plain JSON lines."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NamedTuple

from toolcalls.benchmarks.bfcl_ids import category_of_file, todays_id
from toolcalls.benchmarks.catalogue import categories_of
from toolcalls.benchmarks.items import Item
from toolcalls.errors import InputError
from toolcalls.outputs import failed, object_of, result_text
from toolcalls.strategies import CUT_OFF, MISSING, NO_ROOM
from toolcalls.wire import Fields

MODES = ("prompt", "fc", "fcdot")
Ending = Literal["stop", "length", "too_long"]
_UNENDED: Mapping[object, Ending] = {CUT_OFF: "length", NO_ROOM: "too_long"}  # by error type
_ACEBENCH_FILE = re.compile(r"data_(\w+)_result\.json")
_SHOWN = 5  # ids of an error


class Given(NamedTuple):
    """The answers to one item: A₀ alone, or a whole trace [A₀, …, Aₙ]; and how each ended, see `Generation`."""

    answers: tuple[str, ...]
    endings: tuple[Ending, ...]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Answers by item.

    mode: see `judging.judge`. failed: lines whose text says why the model gave no answer; it is judged as the answer, as BFCL's
    program does. passed_over: how many answers to other categories the files hold, by category; 0 for a file that was not read.
    """

    given: Mapping[str, Given]
    mode: str
    failed: tuple[str, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)


def read_published(source: Path, items: Sequence[Item], mode: str | None = None) -> Outputs:
    """Read one file, or all result files below a folder, of one model on one benchmark.

    items: those that are to be judged; answers to the benchmark's other categories are passed over. mode None: "prompt" where
    all results are texts, else "fcdot" where some call's name has a dot, else "fc". Raises InputError, with the line and what to
    do, for what cannot be read, an unknown id, and an id that is given twice.
    """
    if mode not in (None, *MODES):
        raise InputError(f"mode {mode!r}: there are {', '.join(MODES)}")
    mode = mode or _mode_of_evaluation(source)
    reading = _Reading(items)
    for path in _files(source, reading):
        reading.read(path)
    return reading.outputs(source, mode)


def _files(source: Path, reading: _Reading) -> list[Path]:
    if not source.is_dir():
        return [source]
    if (ours := source / "items.jsonl").is_file():  # of an evaluation's folder, which has the answers one by one, too
        return [ours]
    found = sorted(path for path in source.rglob("*.json*") if path.is_file())
    return [path for path in found if reading.wants(path)]


def _mode_of_evaluation(source: Path) -> str | None:
    """In which mode published outputs were scored into the folder of an evaluation; None where it is none or tells none."""
    plan = (source if source.is_dir() else source.parent) / "evaluation.json"
    try:
        mode = json.loads(plan.read_bytes())["outputs"]["mode"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return mode if mode in MODES else None


class _Reading:
    """Collects the answers of files."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = {item.id for item in items}
        self._benchmark = items[0].benchmark if items else ""
        self._categories = {item.category for item in items}
        self._given: dict[str, Given] = {}
        self._from: dict[str, str] = {}
        self._unknown: list[str] = []
        self._failed: list[str] = []
        self._passed_over: Counter[str] = Counter()
        self._names: set[str] = set()  # of calls that came as JSON
        self._texts = 0

    def wants(self, path: Path) -> bool:
        """Whether a file of a folder may hold answers to the items."""
        category = category_of_file(path.name)
        if not category and (found := _ACEBENCH_FILE.fullmatch(path.name)):
            category = found[1]
        if category in self._categories or (not category and path.suffix == ".jsonl"):
            return True
        self._passed_over[category or path.name] += 0
        return False

    def read(self, path: Path) -> None:
        try:
            with path.open("rb") as lines:
                for number, raw in enumerate(lines, start=1):
                    if raw.strip():
                        self._line(raw, f"{path}, line {number}")
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}); name a result file or a folder of them") from error

    def _line(self, raw: bytes, where: str) -> None:
        try:
            line = object_of(raw)
            identity = self._identity(line)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if line.get("benchmark", self._benchmark) != self._benchmark:
            self._passed_over[str(line["benchmark"])] += 1
        elif identity not in self._items:
            self._not_asked(identity)
        elif identity in self._from:
            raise InputError(
                f"{where}: the id {identity!r} was answered before, in {self._from[identity]}; name one model's results alone"
            )
        else:
            self._from[identity] = where
            self._answer(identity, line, where)

    def _identity(self, line: Mapping[str, Any]) -> str:
        fields = Fields(line, "the line")
        identity = fields.get("id" if "id" in line or "sample_id" not in line else "sample_id", str)
        return todays_id(identity) if self._benchmark == "bfcl" and identity not in self._items else identity

    def _not_asked(self, identity: str) -> None:
        """An answer to a category that is not judged is passed over; any other is unknown."""
        category = next((each for each in _categories_in(identity) if each in categories_of(self._benchmark)), "")
        if category and category not in self._categories:
            self._passed_over[category] += 1
        else:
            self._unknown.append(identity)

    def _answer(self, identity: str, line: dict[str, Any], where: str) -> None:
        if (trace := line.get("trace", line.get("answers"))) is not None:
            given = _trace(trace, line, where)
            if MISSING not in (line.get("error_types") or ()):
                self._given[identity] = given
            self._texts += 1
            return
        line = {**line, "result": line["output"]} if "output" in line else line
        try:
            text = result_text(line)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if failed(line, text):
            self._failed.append(f"{where}: {text[:300]}")
        self._given[identity] = Given((text,), ("stop",))
        result = line["result"]
        if isinstance(result, list):
            self._names.update(name for call in result for name in call)
        else:
            self._texts += 1

    def outputs(self, source: Path, mode: str | None) -> Outputs:
        if self._unknown:
            more = f" and {len(self._unknown) - _SHOWN} more" if len(self._unknown) > _SHOWN else ""
            raise InputError(
                f"{source}: {self._benchmark} has no {', '.join(map(repr, self._unknown[:_SHOWN]))}{more}; "
                "name the results of this benchmark, and choose the categories that they answer"
            )
        if not self._from:
            others = f" among those chosen, but to {', '.join(sorted(self._passed_over))}" if self._passed_over else ""
            raise InputError(
                f"{source}: holds no answer to {self._benchmark}{others}; docs/benchmarks.md says what result files are read"
            )
        return Outputs(self._given, mode or self._mode(), tuple(self._failed), dict(self._passed_over))

    def _mode(self) -> str:
        if not self._names:
            return "prompt"
        return "fcdot" if any("." in name for name in self._names) else "fc"


def _categories_in(identity: str) -> Iterator[str]:
    """What of an id may be its category: `live_simple_0-0-0`, `real:Nager.Date:0`."""
    yield identity.rpartition("_")[0]
    yield identity.partition(":")[0]


def _trace(answers: Any, line: Mapping[str, Any], where: str) -> Given:
    """A line of `python -m trainer evaluate`, which says of each answer that it ended, or why it is wrong."""
    endings = _endings(line)
    if not (_all(answers, str) and answers and len(answers) == len(endings)):
        raise InputError(f"{where}: a trace must be a list of texts, with as many of true and false under 'finished'")
    return Given(tuple(answers), endings)


def _endings(line: Mapping[str, Any]) -> tuple[Ending, ...]:
    """None of them where the line does not tell."""
    finished: Any = line.get("finished")
    errors: Any = line.get("error_types")
    if _all(finished, bool):
        return tuple("stop" if ended else "length" for ended in finished)
    if finished is None and _all(errors, str | None):
        return tuple(_UNENDED.get(error, "stop") for error in errors)
    return ()


def _all(values: Any, kind: type | UnionType) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def missing_by_category(items: Iterable[Item], outputs: Outputs) -> dict[str, int]:
    """How many items have no answer, by category; categories without a missing one are left out."""
    return dict(Counter(item.category for item in items if item.id not in outputs.given))


def outputs_json(outputs: Outputs) -> dict[str, Any]:
    """What is to be told of outputs beside their scores."""
    told = {"mode": outputs.mode, "answers": len(outputs.given), "failed": list(outputs.failed)}
    return {**told, "passed_over": dict(outputs.passed_over)}


def outputs_notes(told: Mapping[str, Any]) -> Iterator[str]:
    """The same in words, as far as it must be told beside a table."""
    if told["mode"] != "prompt":
        yield f"outputs read as calls of a function-calling API (mode {told['mode']})"
    if failed := told["failed"]:
        yield f"lines that hold an error for an answer, judged as they stand: {len(failed)}, the first {failed[0][:200]}"
    if passed_over := told["passed_over"]:
        yield f"passed over: {', '.join(sorted(passed_over))}"
