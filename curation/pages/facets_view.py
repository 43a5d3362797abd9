"""The facets beside a list: each value with its count and a link that chooses it, and what may be done with all that is found."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from curation import access
from curation.models import Iteration, Role, User
from curation.pages.pool_page import ROUTES, with_query
from curation.stages import review
from curation.stages.filtering import VerdictFilter, counted, filter_query
from curation.stages.verdict_filter import facet_names, read_value, written

FIRST = 10  # values of a facet that are shown before one asks for more
KINDS = (("keep", "Keep"), ("drop", "Drop"), ("discuss", "Discuss"))


@dataclass(frozen=True, slots=True)
class FacetLine:
    label: str
    count: int
    active: bool
    url: str
    share: float  # of the facet's largest count, 0 to 100
    extra: bool  # one of many: shown when asked for

    @property
    def rest(self) -> float:
        return 100 - self.share


@dataclass(frozen=True, slots=True)
class FacetView:
    name: str
    label: str
    lines: tuple[FacetLine, ...]

    @property
    def hidden(self) -> int:
        """How many values wait to be asked for."""
        return sum(line.extra for line in self.lines)


@dataclass(frozen=True, slots=True)
class FacetsView:
    """The facets with their counts, and what may be done with all that the filter finds."""

    iteration: Iteration
    turn: int
    total: int
    facets: tuple[FacetView, ...]
    may_decide: bool
    most: int  # on how many may be decided at once
    hidden: tuple[tuple[str, str], ...]  # the whole filter as form fields
    kinds: tuple[tuple[str, str], ...] = KINDS  # of decisions that can be made on many


def facets_view(iteration: Iteration, f: VerdictFilter, user: User) -> FacetsView:
    found, url = counted(iteration, f), reverse(ROUTES[f.turn][0], args=[iteration.run_id, iteration.number])
    facets = []
    for facet in found.facets:
        largest = max((value.count for value in facet.values), default=0) or 1
        lines: list[FacetLine] = []
        for value in facet.values:
            target = with_query(url, filter_query(f.toggled(facet.name, read_value(facet.name, value.value))))
            share, extra = round(100 * value.count / largest, 1), len(lines) >= FIRST and not value.active
            lines.append(FacetLine(value.label, value.count, value.active, target, share, extra))
        if len(lines) > 1 or any(line.active for line in lines):
            facets.append(FacetView(facet.name, facet.label, tuple(lines)))
    hidden = [(name, written(name, value)) for name in facet_names(f.turn) for value in getattr(f, name)]
    hidden += [("q", f.q)] if f.q else []
    may = access.may(user, iteration.run.project.team_id, Role.REVIEWER)
    most = review.most_at_once(iteration, f.turn)
    return FacetsView(iteration, f.turn, found.total, tuple(facets), may, most, tuple(hidden))
