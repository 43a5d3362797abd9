"""The synthetic tool world: conversations and samples of a named mix, on one of two sides that share nothing.

Every call, by its tool's name and its argument values, and every query belong to one side, decided by a hash of their content
alone. A sample is made only of calls and a query of its own side, so a held-out set shares no query and no (tool, argument
values) with any pool or with pre-training, whatever their seeds, mixes and counts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from toolcalls.answers import Call, Json
from toolcalls.records import Message, Sample, Split
from trainer.tiny.queries import Request, draw_request
from trainer.tiny.settings import SETTINGS
from trainer.tiny.slots import Draw
from trainer.tiny.tools import Tool, draw_tools

HELDOUT_SHARE = 0.25  # of the space of calls, and of the space of queries
FIRST_DAY, DAYS = dt.date(2024, 1, 1), 700


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two sets of samples share: queries, and calls as tool name and argument values."""

    queries: frozenset[str]
    calls: frozenset[str]


def world_samples(setting: str, *, count: int, seed: int, split: Split = "train") -> list[Sample]:
    """Draw `count` samples of a named mix; no query and answer repeat. Raises KeyError for a mix that does not exist."""
    drawn = conversations(setting, seed=seed, split=split, turns=1)
    samples: dict[tuple[str, tuple[str, ...]], Sample] = {}
    while len(samples) < count:
        (sample,) = next(drawn)
        key = query_key(sample), tuple(sorted(call_key(call) for call in sample.truth or ()))
        samples.setdefault(key, sample)
    return list(samples.values())


def conversations(setting: str, *, seed: int, split: Split = "train", turns: int = 1) -> Iterator[list[Sample]]:
    """Endless conversations: 1 to `turns` independent samples that share their tools and date."""
    dice, settings = random.Random(f"{setting}/{split}/{seed}"), SETTINGS[setting]
    number = 0
    while True:
        draw = Draw(dice, settings, FIRST_DAY + dt.timedelta(dice.randrange(DAYS)))
        tools = draw_tools(draw)
        other = _current_time(draw) if any("date" in tool.names for tool in tools) else ""
        schemas = [tool.schema() for tool in tools]
        dice.shuffle(schemas)
        requests = [_draw_request(draw, tools, split) for _ in range(dice.randint(1, turns))]
        samples = []
        for request in filter(None, requests):
            samples.append(_sample(f"{setting}-{split}-{seed}-{number:06d}", request, schemas, other, split))
            number += 1
        if samples:
            yield samples


def call_key(call: Call) -> str:
    """A call by its tool's name and its argument values, whatever the parameters are called; 30 and 30.0 are one value."""
    return json.dumps([call.name, sorted(json.dumps(_plain(value)) for value in call.arguments.values())])


def query_key(sample: Sample) -> str:
    """The user's words without regard to case and spacing."""
    return " ".join(sample.messages[-1].content.casefold().split())


def side_of(key: str) -> Split:
    """The side to which a call or a query belongs, by its key."""
    digest = hashlib.sha256(key.encode()).digest()
    return "heldout" if int.from_bytes(digest[:4]) < HELDOUT_SHARE * 2**32 else "train"


def overlap(first: Iterable[Sample], second: Iterable[Sample]) -> Overlap:
    """What two sets of samples share."""
    pairs = []
    for samples in (list(first), list(second)):
        calls = {call_key(call) for sample in samples for call in sample.truth or ()}
        pairs.append(({query_key(sample) for sample in samples}, calls))
    (queries, calls), (other_queries, other_calls) = pairs
    return Overlap(frozenset(queries & other_queries), frozenset(calls & other_calls))


def _draw_request(draw: Draw, tools: list[Tool], split: Split) -> Request | None:
    for _ in range(40):
        request = draw_request(draw, tools, lambda call: side_of(call_key(call)) == split)
        if request and side_of(" ".join(request.query.casefold().split())) == split:
            return request
    return None


def _sample(sample_id: str, request: Request, schemas: list[dict[str, Json]], other: str, split: Split) -> Sample:
    single = "simple" if len(schemas) == 1 else "multiple"
    several = "parallel" if len(schemas) == 1 else "parallel_multiple"
    return Sample(
        id=sample_id,
        tools=tuple(schemas),
        messages=(Message("user", request.query),),
        truth=request.calls,
        other=other,
        split=split,
        category=single if len(request.calls) == 1 else several,
        language="en",
    )


def _current_time(draw: Draw) -> str:
    clock = dt.time(draw.random.randrange(24), draw.random.randrange(60), draw.random.randrange(60))
    return f"The current time is {draw.today.isoformat()} {clock.isoformat()}."


def _plain(value: Json) -> Json:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
