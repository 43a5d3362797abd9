"""The samples of a revision in their order, filtered and searched."""

from __future__ import annotations

from django.db.models import BooleanField, OuterRef, QuerySet, Subquery

from curation.models import DatasetRevision, RevisionEntry, SampleVersion, SampleWords
from curation.models.datasets import Split
from curation.stages.verdict_filter import FEW, Matches, found_by, text_query

RARE = 4  # a split that holds less than a fourth of a revision is looked up first


def listed(revision: DatasetRevision, *, split: str, q: str, **fields: str) -> QuerySet[RevisionEntry]:
    """What a split (if given) and a search find, in no order; `fields` are columns of the version and their values.

    A page of it is walked to in the revision's order. That is quick where much is found, so little is looked up beforehand.
    """
    entries = RevisionEntry.objects.filter(revision=revision, **{f"version__{name}": value for name, value in fields.items()})
    return _searched(_of_split(entries, revision, split), revision, q)


def _of_split(entries: QuerySet[RevisionEntry], revision: DatasetRevision, split: str) -> QuerySet[RevisionEntry]:
    if not split:
        return entries
    held = {Split.TRAIN: revision.train, Split.HELDOUT: revision.heldout}[Split(split)]
    if RARE * held >= revision.train + revision.heldout:
        return entries.filter(version__sample__split=split)
    versions = SampleVersion.objects.filter(sample__dataset=revision.dataset_id, sample__split=split).values("pk")
    every = 2**62  # as a limit it makes Postgres find these before it walks
    return entries.filter(version__in=versions[:every])


def _searched(entries: QuerySet[RevisionEntry], revision: DatasetRevision, q: str) -> QuerySet[RevisionEntry]:
    if not q:
        return entries
    query = text_query(revision.dataset_id, q)
    if query is None:
        return entries.none()
    few = list(found_by(query).values_list("version_id", flat=True)[: FEW + 1])
    if len(few) <= FEW:
        return entries.filter(version__in=few)
    words = SampleWords.objects.filter(version=OuterRef("version_id"))
    return entries.filter(Subquery(words.values_list(Matches(query)), output_field=BooleanField()))
