"""What is asked, kind by kind, with the goal that issue and design set for it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.web.asking import Request

LIST, FACETS, WHAT_IF, SAMPLE, DECISION = 60.0, 200.0, 200.0, 40.0, 30.0  # ms, p95
DEEP = 0.9  # of the list lies before the page that is asked for deep in it

SEARCHES = {
    "common": ("please ", "help ", "number ", "with "),
    "two words": ("flight rome", "hotel oslo", "weather number", "please lima"),
    "beginning": ("sat", "fl", "invo", "pres", "tick"),
    "chinese": ("天气", "北京", "酒店航班", "会议 上海"),
    "nothing found": ("xylophone", "qqqq ", "no such words here ", "鯨鯨"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """`goal` in ms at p95. The requests are asked in turn, as often as it takes."""

    name: str
    goal: float | None
    requests: tuple[Request, ...]


def kinds(run: Any, iteration: Any, samples: range) -> list[Kind]:
    """Of an iteration in its review; `samples` are the keys of its pool."""
    chance = random.Random(0)
    here = f"/runs/{run.pk}/iterations/{iteration.number}"
    some = [chance.choice(samples) for _ in range(100)]
    of_pages = (
        kind("projects", None, ["/"]),
        kind("run", None, [f"/runs/{run.pk}/"]),
        kind("iteration", None, [f"{here}/"]),
        kind("data set", None, [f"/datasets/{run.dataset_id}/"]),
        kind(
            "data set, search and split", LIST, [f"/datasets/{run.dataset_id}/?{urlencode({'q': 'help ', 'split': 'heldout'})}"]
        ),
    )
    of_samples = (
        kind("sample", SAMPLE, [f"{here}/pool/{key}/" for key in some]),
        kind("sample, panel", SAMPLE, [f"{here}/pool/{key}/" for key in some], htmx="panel"),
        kind("pair", SAMPLE, [f"{here}/pairs/{key}/" for key in _with_pairs(iteration, some)]),
    )
    return [*_lists(iteration, here, some, len(samples)), *_facets(here), *_what_if(here), *of_samples, *of_pages]


def _lists(iteration: Any, here: str, some: Sequence[int], number: int) -> Iterator[Kind]:
    from curation.stages.filtering import VerdictFilter, facets_of, filter_query, page_of

    plain = VerdictFilter(0)
    yield kind("pool", LIST, [f"{here}/pool/"])
    yield kind("pool, list", LIST, [f"{here}/pool/"], htmx="list")
    after = page_of(iteration, plain, limit=int(DEEP * number)).next
    yield kind("pool, far down", LIST, [f"{here}/pool/?{urlencode({'after': after})}"])
    for facet in facets_of(iteration, plain):
        values = [value.value for value in facet.values if value.count]
        yield kind(f"pool by {facet.name}", LIST, [f"{here}/pool/?{urlencode({facet.name: value})}" for value in values])
    yield kind("pool in order of hits", LIST, [f"{here}/pool/?order=hits", f"{here}/pool/?order=-hits"])
    yield kind("pool in order of other answers", LIST, [f"{here}/pool/?{filter_query(VerdictFilter(0, order='-other_count'))}"])
    for name, texts in {"rare": _rare(some), **SEARCHES}.items():
        yield kind(f"pool, search: {name}", LIST, [f"{here}/pool/?{urlencode({'q': text})}" for text in texts])
    yield kind("pairs", LIST, [f"{here}/pairs/", f"{here}/pairs/?change=small", f"{here}/pairs/?hits=0"])


def _facets(here: str) -> Iterator[Kind]:
    asked = {
        "facets": [""],
        "facets, filtered": ["?outcome=exact", "?language=zh", "?hits=0&hits=1", "?category=simple&outcome=wrong_tool"],
        "facets, by tool": ["?tool=get_weather", "?tool=book_flight&tool=find_hotel"],
        "facets, rare search": [f"?{urlencode({'q': text})}" for text in ("4711 ", "815 ", "90210 ")],
        "facets, common search": [f"?{urlencode({'q': text})}" for text in SEARCHES["common"]],
    }
    for name, queries in asked.items():
        yield kind(name, FACETS, [f"{here}/pool/facets/{query}" for query in queries], htmx="facets")


def _what_if(here: str) -> Iterator[Kind]:
    asked = [f"{here}/what-if/?{urlencode({'k': k, 'tolerance': tolerance})}" for tolerance in (0, 1, 2, 5) for k in (1, 4, 8)]
    yield kind("what if, panel", WHAT_IF, [f"{here}/what-if/"], htmx="what-if")
    yield kind("what if, numbers", WHAT_IF, asked, htmx="what-if-numbers")
    yield kind("what if, list of changes", None, asked)


def _rare(samples: Sequence[int]) -> list[str]:
    """The numbers that some questions hold: each is in one question or in a few."""
    from curation.models import SampleVersion

    contents = SampleVersion.objects.filter(sample__in=samples[:20]).values_list("content", flat=True)
    texts = (content["messages"][0]["content"] for content in contents)
    return [text.partition("number ")[2].partition(":")[0].partition("?")[0] + " " for text in texts]


def _with_pairs(iteration: Any, samples: Sequence[int]) -> list[int]:
    found = iteration.verdicts.filter(turn=1, sample__in=samples).values_list("sample_id", flat=True)
    return list(found)


def kind(name: str, goal: float | None, paths: Sequence[str], htmx: str = "") -> Kind:
    return Kind(name, goal, tuple(Request(path, htmx=htmx) for path in paths))


def in_turn(requests: Sequence[Request], number: int) -> Iterator[Request]:
    return itertools.islice(itertools.cycle(requests), number)
