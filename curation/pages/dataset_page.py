"""A data set: its revisions, and the samples of one of them, searched and filtered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from urllib.parse import urlencode

from django.http import Http404

from curation.access import may
from curation.models import Dataset, DatasetRevision, Role, SampleVersion, User
from curation.models.datasets import Split
from curation.pages.composition import Composition, compositions, totals
from curation.pages.project_tabs import ProjectTabs, project_tabs
from curation.pages.sample_card import SampleCard, sample_card
from curation.stages.copying import storable
from curation.stages.errors import InputError
from curation.stages.listing import listed
from curation.stages.verdict_filter import one, search_from
from toolcalls.wire import sample_from_json

LIMIT = 30  # samples on a page
KNOWN = ("revision", "q", "split", "category", "language", "after")
LONGEST = 60  # characters of a category or a language in an address
NOTHING = "-"  # in an address: the samples without a language


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """What of a revision is listed; an empty text stands for all."""

    split: str = ""
    category: str = ""
    language: str = ""
    q: str = ""
    after: int = -1  # the position before the first one shown

    def query(self, revision: int) -> str:
        """As an address's query."""
        named = {"split": self.split, "category": self.category, "language": self.language, "q": self.q}
        pairs = [("revision", revision), *((name, value) for name, value in named.items() if value)]
        return urlencode(pairs + ([("after", self.after)] if self.after >= 0 else []))

    @property
    def is_empty(self) -> bool:
        return not (self.split or self.category or self.language or self.q)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet; following it chooses it, or takes the choice back."""

    label: str
    count: int
    query: str
    active: bool


@dataclass(frozen=True, slots=True)
class FacetChoices:
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class DatasetPage:
    dataset: Dataset
    tabs: ProjectTabs
    revisions: tuple[DatasetRevision, ...]  # the newest first
    revision: DatasetRevision | None
    filter: SampleFilter
    facets: tuple[FacetChoices, ...]
    cards: tuple[SampleCard, ...]
    next_query: str
    first_query: str
    may_import: bool


def dataset_page(dataset: Dataset, user: User, params: Mapping[str, Sequence[str]]) -> DatasetPage:
    """Raises InputError for a query that is not known, Http404 for a revision that is not there."""
    if unknown := [name for name in params if name not in KNOWN]:
        raise InputError(f"{unknown[0][:60]!r} is not known here; there are {', '.join(KNOWN)}")
    revisions = tuple(dataset.revisions.select_related("created_by").order_by("-number"))
    revision = _chosen(revisions, one(params, "revision"))
    chosen = _filter(params)
    cards, more = _cards(revision, chosen) if revision is not None else ((), None)
    number = revision.number if revision is not None else 0
    return DatasetPage(
        dataset=dataset,
        tabs=project_tabs(dataset.project, "datasets"),
        revisions=revisions,
        revision=revision,
        filter=chosen,
        facets=_facets(compositions([revision])[revision.pk], chosen, number) if revision is not None else (),
        cards=cards,
        next_query=replace(chosen, after=more).query(number) if more is not None else "",
        first_query=replace(chosen, after=-1).query(number) if chosen.after >= 0 else "",
        may_import=may(user, dataset.project.team_id, Role.ENGINEER),
    )


def _chosen(revisions: Sequence[DatasetRevision], number: str) -> DatasetRevision | None:
    if not number:
        return revisions[0] if revisions else None
    found = next((revision for revision in revisions if str(revision.number) == number), None)
    if found is None:
        raise Http404(f"there is no revision {number[:20]}")
    return found


def _filter(params: Mapping[str, Sequence[str]]) -> SampleFilter:
    split, after = one(params, "split"), one(params, "after")
    if split and split not in Split.values:
        raise InputError(f"split {split[:60]!r} is not known; choose of {', '.join(Split.values)}")
    if after and not (after.isascii() and after.isdigit() and len(after) <= 9):
        raise InputError("'after' must be the place of a sample; begin with the first page")
    return SampleFilter(
        split, _text(params, "category"), _text(params, "language"), search_from(params), int(after) if after else -1
    )


def _text(params: Mapping[str, Sequence[str]], name: str) -> str:
    value = one(params, name)
    if len(value) > LONGEST or storable(value) != value:
        raise InputError(f"{name} {value[:60]!r} is not one that a sample can have")
    return value


def _cards(revision: DatasetRevision, chosen: SampleFilter) -> tuple[tuple[SampleCard, ...], int | None]:
    """The samples of a page, and the last one's position where more follow."""
    fields = {"category": chosen.category, "language": chosen.language}
    fields = {name: "" if value == NOTHING else value for name, value in fields.items() if value}
    entries = listed(revision, split=chosen.split, q=chosen.q, **fields).filter(position__gt=chosen.after)
    places = list(entries.order_by("position").values_list("position", "version_id")[: LIMIT + 1])
    versions = SampleVersion.objects.in_bulk([version for _, version in places[:LIMIT]])  # of a page's samples only
    cards = tuple(_card(position, versions[version]) for position, version in places[:LIMIT])
    return cards, places[LIMIT - 1][0] if len(places) > LIMIT else None


def _card(position: int, version: SampleVersion) -> SampleCard:
    return sample_card(sample_from_json(version.content), position=position, version=version.number, pk=version.pk)


def _facets(parts: Composition, chosen: SampleFilter, revision: int) -> tuple[FacetChoices, ...]:
    facets = []
    for name, label in (("split", "Split"), ("category", "Category"), ("language", "Language")):
        counts = totals(_under_the_others(parts, chosen, name), attrgetter(name))
        if len(totals(parts, attrgetter(name))) > 1:
            choices = tuple(_choice(chosen, name, value, count, revision) for value, count in counts)
            facets.append(FacetChoices(label, choices))
    return tuple(facets)


def _under_the_others(parts: Composition, chosen: SampleFilter, name: str) -> Composition:
    """Each facet is counted under the choices of the other ones; a search is not counted."""
    others = {other: getattr(chosen, other) for other in ("split", "category", "language") if other != name}
    wanted = {other: "" if value == NOTHING else value for other, value in others.items() if value}
    return tuple(part for part in parts if all(getattr(part, other) == value for other, value in wanted.items()))


def _choice(chosen: SampleFilter, name: str, value: str, count: int, revision: int) -> Choice:
    written = value or NOTHING
    active = getattr(chosen, name) == written
    query = replace(chosen, after=-1, **{name: "" if active else written}).query(revision)
    return Choice(value or "not stated", count, query, active)
