"""The control of shuffled truths: every answer's values come from other samples, so there is nothing to learn from them."""

from __future__ import annotations

import dataclasses
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from toolcalls.answers import Call, Json
from toolcalls.records import Sample
from toolcalls.wire import sample_from_json, to_json


class Place(NamedTuple):
    """Where an argument stands."""

    sample: int
    call: int
    name: str


def shuffled(samples: Sequence[Sample], seed: int) -> list[Sample]:
    """Permute the argument values across the samples, among parameters of the same name and schema: truths stay valid."""
    places: dict[str, list[Place]] = defaultdict(list)
    for number, sample in enumerate(samples):
        for position, call in enumerate(sample.truth or ()):
            for name in call.arguments:
                places[_group(sample, call, name)].append(Place(number, position, name))
    values: dict[Place, Json] = {}
    drawing = random.Random(seed)
    for group in places.values():
        givers = list(group)
        drawing.shuffle(givers)
        values.update({taker: _value(samples, giver) for taker, giver in zip(group, givers, strict=True)})
    return [_with_values(sample, number, values) for number, sample in enumerate(samples)]


def _group(sample: Sample, call: Call, name: str) -> str:
    """What two parameters must share for their values to change places."""
    tool = next((tool for tool in sample.tools if tool.get("name") == call.name), {})
    schema = tool.get("parameters") or {}
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    known = properties.get(name) if isinstance(properties, dict) else None
    return json.dumps([name, known], sort_keys=True)


def _value(samples: Sequence[Sample], place: Place) -> Json:
    return (samples[place.sample].truth or ())[place.call].arguments[place.name]


def _with_values(sample: Sample, number: int, values: dict[Place, Json]) -> Sample:
    if sample.truth is None:
        return sample
    truth = tuple(
        dataclasses.replace(call, arguments={name: values[Place(number, position, name)] for name in call.arguments})
        for position, call in enumerate(sample.truth)
    )
    return dataclasses.replace(sample, truth=truth, truth_text=None)


def shuffle_file(pool: Path) -> Path:
    """Write the shuffled pool beside the drawn one; its path."""
    samples = [sample_from_json(json.loads(line)) for line in pool.read_text(encoding="utf-8").splitlines() if line]
    out = pool.with_name(f"shuffled-{pool.name}")
    with out.open("w", encoding="utf-8") as file:
        for sample in shuffled(samples, seed=0):
            file.write(json.dumps(to_json(sample), ensure_ascii=False) + "\n")
    return out
