"""What a revision is made of: samples by split, category and language. A revision never changes, so it is counted once."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import NamedTuple

from django.db.models import Count

from curation.models import DatasetRevision, RevisionEntry

REMEMBERED = 1000  # revisions


class Part(NamedTuple):
    split: str
    category: str
    language: str
    samples: int


Composition = tuple[Part, ...]
_known: OrderedDict[tuple[int, str], Composition] = OrderedDict()
_lock = Lock()


def compositions(revisions: Sequence[DatasetRevision]) -> dict[int, Composition]:
    """By revision id. One query for those that this process has not counted yet, none otherwise."""
    with _lock:
        found = {one.pk: _known[_key(one)] for one in revisions if _key(one) in _known}
    missing = [one for one in revisions if one.pk not in found]
    if missing:
        counted = _counted(missing)
        found |= counted
        with _lock:
            _known.update({_key(one): counted[one.pk] for one in missing})
            while len(_known) > REMEMBERED:
                _known.popitem(last=False)
    return found


def _key(revision: DatasetRevision) -> tuple[int, str]:
    return revision.pk, f"{revision.sha256} {revision.created_at.isoformat()}"


def _counted(revisions: Iterable[DatasetRevision]) -> dict[int, Composition]:
    found: dict[int, list[Part]] = {revision.pk: [] for revision in revisions}
    columns = ("revision_id", "version__sample__split", "version__category", "version__language")
    rows = RevisionEntry.objects.filter(revision__in=list(found)).values_list(*columns).annotate(samples=Count("pk"))
    for revision, split, category, language, samples in rows.order_by():
        found[revision].append(Part(split, category, language, samples))
    return {revision: tuple(parts) for revision, parts in found.items()}


def totals(parts: Composition, of: Callable[[Part], str]) -> list[tuple[str, int]]:
    """Samples by a field of the parts, the most frequent first."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts[of(part)] += part.samples
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
