"""What a filter of verdicts says, how it is read from an address, and which verdicts it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib.postgres.search import SearchQueryField
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Cast

from curation.models import Iteration, SampleWords, Verdict
from curation.models.decisions import DecisionKind
from curation.models.searching import dataset_word
from curation.models.verdicts import Change, Outcome
from curation.stages.copying import storable
from curation.stages.errors import InputError
from toolcalls.parsing import LIMITS
from toolcalls.searching import query_words

UNDECIDED = "none"  # the value of `decision` that finds what nobody decided
NO_CALL = -1  # the value of `calls` that finds truths that call nothing; "none" in an address
ORDERS = {
    "id": "id",
    "-id": "id",
    "hits": "approximate_hits",
    "-hits": "approximate_hits",
    "other_count": "other_count",
    "-other_count": "other_count",
}  # the allowed orders, and the column of each
KNOWN = {
    "outcome": tuple(Outcome.values),
    "decision": (UNDECIDED, *DecisionKind.values),
    "change": tuple(Change.values),
}  # facets whose values are a closed list
TEXTS = {"category": 40, "tool": LIMITS.name, "language": 16}  # facets of texts: the most characters of a value
NUMBERS = ("hits", "calls")
MOST_VALUES = 50  # of one facet
LONGEST_QUERY = 200  # characters of a search
FEW = 2000  # samples found by a search up to which they are looked up one by one


@dataclass(frozen=True, slots=True)
class VerdictFilter:
    """Which verdicts of an iteration: within a facet any of the values, between facets all of them.

    turn: 0 the pool, 1 the refine pairs. `calls` holds NO_CALL for truths that call nothing; `q` is a search as typed.
    """

    turn: int
    outcome: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    hits: tuple[int, ...] = ()
    calls: tuple[int, ...] = ()
    q: str = ""
    order: str = "id"

    @property
    def is_empty(self) -> bool:
        """Whether it finds every verdict of the turn."""
        return not (self.q or any(getattr(self, name) for name in facet_names(self.turn)))

    def toggled(self, name: str, value: str | int) -> VerdictFilter:
        """The filter with the facet's value chosen if it was not, and not chosen if it was."""
        changed: dict[str, Any] = {name: tuple(sorted(set(getattr(self, name)) ^ {value}))}
        return replace(self, **changed)


def facet_names(turn: int) -> tuple[str, ...]:
    """The facets of a turn, in the order that pages show them."""
    first = ("outcome", "change", "hits") if turn else ("outcome", "hits")
    return (*first, "decision", "category", "calls", "tool", "language")


def filter_from(params: Mapping[str, Sequence[str]], turn: int) -> VerdictFilter:
    """Read the filter of an address's query, e.g. {"outcome": ["exact"], "q": ["rome"]}.

    Raises InputError for any name or value that is not known, and says which are.
    """
    allowed = (*facet_names(turn), "q", "order")
    if unknown := [name for name in params if name not in allowed]:
        raise InputError(f"filter {unknown[0][:60]!r} is not known; filter by {', '.join(allowed)}")
    values: dict[str, Any] = {name: _values(name, params.get(name, ())) for name in facet_names(turn)}
    return VerdictFilter(turn, q=search_from(params), order=_order(params), **values)


def _values(name: str, given: Sequence[str]) -> tuple[Any, ...]:
    if len(given) > MOST_VALUES:
        raise InputError(f"filter {name!r} has {len(given)} values; give at most {MOST_VALUES}")
    return tuple(sorted({read_value(name, value) for value in given}))


def read_value(name: str, value: str) -> Any:
    """A facet's value as an address writes it. Raises InputError for one that no sample can have."""
    return _number(name, value) if name in NUMBERS else _text(name, value)


def _text(name: str, value: str) -> str:
    if name in KNOWN and value not in KNOWN[name]:
        raise InputError(f"{name} {value[:60]!r} is not known; choose of {', '.join(KNOWN[name])}")
    if len(value) > TEXTS.get(name, 60) or storable(value) != value:
        raise InputError(f"{name} {value[:60]!r} is not one that a sample can have")
    return value


def _number(name: str, value: str) -> int:
    if name == "calls" and value == "none":
        return NO_CALL
    if not (value.isascii() and value.isdigit() and len(value) <= 4):
        words = 'a whole number, or "none" for truths that call nothing' if name == "calls" else "a whole number"
        raise InputError(f"{name} {value[:60]!r} is not known; give {words}")
    return int(value)


def search_from(params: Mapping[str, Sequence[str]]) -> str:
    """The search of an address's query. Raises InputError when it is given twice, too long, or cannot be stored."""
    query = one(params, "q")
    if len(query) > LONGEST_QUERY or storable(query) != query:
        raise InputError(f"a search has at most {LONGEST_QUERY} characters, none of them NUL")
    return query if query.strip() else ""


def _order(params: Mapping[str, Sequence[str]]) -> str:
    order = one(params, "order") or "id"
    if order not in ORDERS:
        raise InputError(f"order {order[:60]!r} is not known; choose of {', '.join(ORDERS)}")
    return order


def one(params: Mapping[str, Sequence[str]], name: str) -> str:
    """A parameter that may be given once. Raises InputError when it is given more often."""
    given = params.get(name, ())
    if len(given) > 1:
        raise InputError(f"{name!r} is given {len(given)} times; give it once")
    return given[0] if given else ""


def filter_query(f: VerdictFilter) -> str:
    """The filter as an address's query; equal filters give equal texts, and `filter_from` reads it back."""
    pairs = [(name, written(name, value)) for name in facet_names(f.turn) for value in getattr(f, name)]
    pairs += [("q", f.q)] if f.q else []
    pairs += [("order", f.order)] if f.order != "id" else []
    return urlencode(pairs)


def written(name: str, value: str | int) -> str:
    """A facet's value as addresses write it."""
    return "none" if name == "calls" and value == NO_CALL else str(value)


def matching(iteration: Iteration, f: VerdictFilter) -> QuerySet[Verdict]:
    """The verdicts that the filter finds, in no order. Reads neither generations nor contents."""
    rows = Verdict.objects.filter(iteration=iteration, turn=f.turn)
    for name in facet_names(f.turn):
        if values := getattr(f, name):
            rows = rows.filter(facet_condition(name, values))
    if f.q:
        query = text_query(iteration.run.dataset_id, f.q)
        rows = rows.none() if query is None else rows.filter(version__in=found_by(query).values("version_id"))
    return rows


def facet_condition(name: str, values: Sequence[Any]) -> Q:
    """What a verdict must fulfil to have one of the values."""
    if name == "tool":
        return Q(tools__contains=list(values)) if len(values) == 1 else Q(tools__overlap=list(values))
    if name == "calls":
        numbers = [value for value in values if value != NO_CALL]
        return _one_of("calls", numbers) | Q(calls=None) if NO_CALL in values else _one_of("calls", numbers)
    if name == "decision":
        return _one_of("decision", ["" if value == UNDECIDED else value for value in values])
    return _one_of({"hits": "approximate_hits"}.get(name, name), values)


def _one_of(column: str, values: Sequence[Any]) -> Q:
    return Q(**{column: values[0]}) if len(values) == 1 else Q(**{f"{column}__in": list(values)})


def text_query(dataset: int, query: str) -> str | None:
    """A search as Postgres' tsquery, confined to a data set; None when there is no word in it."""
    whole, beginning = query_words(query)
    if not whole and beginning is None:
        return None
    terms = [_quoted(word) for word in (dataset_word(dataset), *whole)] + ([f"{_quoted(beginning)}:*"] if beginning else [])
    return " & ".join(terms)


def found_by(query: str) -> QuerySet[SampleWords]:
    """The words of the versions that a tsquery finds."""
    return SampleWords.objects.filter(Matches(query))


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


class Matches(Func):
    """`words @@ query`, the query cast and not parsed: Postgres' own parser would cut the words another way."""

    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, query: str) -> None:
        super().__init__(F("words"), Cast(Value(query), SearchQueryField()))
