"""Write the tables of docs/tolerance.md: what a tolerant reading makes of the golden texts, beside the official decoder.

PYTHONPATH=. .venv/bin/python docs/tolerance.py DATA
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolcalls.answers import Answer, Calls, ParseFailure
from toolcalls.parsing import parse

Json = Any
MODELS = ("gemma4-e4b-toolcall-v02", "glyphh-ada-1.1", "claude-sonnet-4-5-20250929-FC", "DeepSeek-V3.1-Terminus-FC")
LOST = ""  # the name that the official decoder gives to a call whose name stands in quotes


@dataclass(frozen=True, slots=True)
class Reading:
    """One golden text as both read it. `official`: names and arguments, None where its decoder fails."""

    source: str  # the model, or the kind of perturbation
    text: str
    official: list[tuple[str, dict[str, Json]]] | None
    unsafe: bool  # the official decoder read it, but as what JSON cannot hold
    answer: Answer

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.answer.calls] if isinstance(self.answer, Calls) else []


def readings(data: Path) -> Iterator[Reading]:
    """Read every golden text of BFCL."""
    for path in sorted((data / "golden").glob("*.jsonl")):
        if not path.name.startswith(("bfcl_", "model_")):
            continue
        for row in map(json.loads, path.read_text(encoding="utf-8").rstrip("\n").split("\n")):
            decoded = row.get("official_decoded")
            official = None if decoded is None else [pair for call in decoded for pair in call.items()]
            unsafe = decoded is None and row.get("decoded_json_safe") is False
            source = row.get("model") or row["perturbation"]
            yield Reading(source, row["output_text"], official, unsafe, parse(row["output_text"]))


def missed(all_readings: Iterable[Reading]) -> list[Reading]:
    """The texts of which the official decoder reads calls that a tolerant reading does not, by name or number."""
    return [
        each
        for each in all_readings
        if each.official and LOST not in (names := [name for name, _ in each.official]) and names != each.names
    ]


def value_class(official: Json, ours: Json) -> str:
    """Why one value differs."""
    if isinstance(official, list) and isinstance(ours, list) and len(official) == len(ours):
        return next(value_class(*pair) for pair in zip(official, ours, strict=True) if pair[0] != pair[1])
    if official in ("true", "false", "null", "none"):
        return "`true`, `false`, `null`: a text there, a boolean or null here"
    if isinstance(official, dict) and isinstance(ours, str):
        return "a call as a value: an object there, its source here"
    if "((" in str(ours) or isinstance(official, list):
        return "nested deeper than 32: read there, kept as text here"
    if isinstance(official, float) and math.isinf(official):
        return "a number too large: infinite there, the largest number here"
    if isinstance(official, int | float) and isinstance(ours, int | float) and official == -ours:
        return "`+5`: −5 there, 5 here"
    if isinstance(ours, str) and "\N{REPLACEMENT CHARACTER}" in ours:
        return "half of a surrogate pair: kept there, replaced here"
    if isinstance(ours, str) and ours.startswith("not "):
        return "`not x`: a number there, its source here"
    if isinstance(ours, str) and any(mark in ours for mark in "+-*/%"):
        return "arithmetic: evaluated there, its source here"
    if isinstance(official, str) and isinstance(ours, str) and "\\" in official:
        return "escapes in Java and JavaScript texts: kept there, read here"
    return "other"


def differing_values(all_readings: Iterable[Reading]) -> Counter[str]:
    """Number of texts by why their values differ, where names and number are the same."""
    found: Counter[str] = Counter()
    for each in all_readings:
        if not isinstance(each.answer, Calls) or [name for name, _ in each.official or []] != each.names:
            continue
        classes = set()
        for (_, arguments), call in zip(each.official or [], each.answer.calls, strict=True):
            for name in {**arguments, **call.arguments}:
                if name not in arguments:
                    classes.add("positional arguments: dropped there, kept here")
                elif arguments[name] != call.arguments[name]:
                    classes.add(value_class(arguments[name], call.arguments[name]))
        found.update(classes)
    return found


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, ("---",) + ("---:",) * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def by_model(all_readings: list[Reading]) -> str:
    """What each model's real outputs are to both."""
    rows = []
    for model in MODELS:
        of_model = [each for each in all_readings if each.source == model]
        recovered = [each for each in of_model if each.official is None and not each.unsafe and isinstance(each.answer, Calls)]
        rows.append(
            (
                model,
                len(of_model),
                sum(bool(each.official) or each.unsafe for each in of_model),
                sum(isinstance(each.answer, Calls) for each in of_model),
                len(recovered),
                sum(isinstance(each.answer, ParseFailure) for each in of_model),
            )
        )
    head = ("real outputs of", "texts", "official: calls", "tolerant: calls", "recovered", "unreadable")
    return _table(head, rows)


def by_tolerance(all_readings: list[Reading]) -> str:
    """What was looked past to recover real outputs."""
    found: Counter[tuple[str, ...]] = Counter(
        each.answer.tolerated or ("nothing: BFCL reads these categories with tree-sitter",)
        for each in all_readings
        if each.source in MODELS and each.official is None and not each.unsafe and isinstance(each.answer, Calls)
    )
    rows = [(", ".join(words), count) for words, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))]
    return _table(("looked past in recovered real outputs", "texts"), rows)


def by_perturbation(all_readings: list[Reading]) -> str:
    """The written forms that the official decoder never reads, and what tolerance makes of them."""
    kinds: dict[str, Counter[str]] = {}
    for each in all_readings:
        if each.source not in MODELS:
            state = "official" if each.official is not None or each.unsafe else type(each.answer).__name__
            kinds.setdefault(each.source, Counter())[state] += 1
    rows = [
        (f"`{kind}`", counts.total(), counts["Calls"], counts["ParseFailure"], counts["Text"])
        for kind, counts in sorted(kinds.items())
        if not counts["official"]
    ]
    return _table(("form that the official decoder never reads", "texts", "calls", "unreadable", "text"), rows)


def tables(all_readings: list[Reading]) -> str:
    """Every table of the page."""
    values = differing_values(all_readings)
    rows = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    same = sum(bool(each.official) for each in all_readings)
    return "\n\n".join(
        [
            f"{len(all_readings):,} texts, of which the official decoder reads calls in {same:,}.",
            by_model(all_readings),
            by_tolerance(all_readings),
            by_perturbation(all_readings),
            _table(("values that differ, names and number being the same", "texts"), rows),
        ]
    )


if __name__ == "__main__":
    print(tables(list(readings(Path(sys.argv[1])))))
