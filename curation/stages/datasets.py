"""Data sets by name: one of their revisions, or the data set itself, made where it is missing and locked to import into."""

from __future__ import annotations

from curation.models import Dataset, DatasetRevision, Project, User
from curation.stages import events
from curation.stages.errors import InputError
from curation.stages.naming import plain_name
from curation.stages.people import slug_of

LONGEST_NAME = 120  # letters of a data set's name


def named(project: Project, name: str, number: int | None = None, *, benchmark: bool = False) -> DatasetRevision:
    """A revision, the last one where no number is given, of the project's data set with this slug or name.

    `benchmark`: of its benchmarks alone. Raises InputError for what is not there.
    """
    of_project = (Dataset.objects.benchmarks() if benchmark else Dataset.objects.all()).filter(project=project)
    dataset = of_project.filter(slug=name).first() or of_project.filter(name=name).first()
    what, adds = ("benchmark", "import_benchmark adds one") if benchmark else ("data set", "import one first")
    if dataset is None:
        there = ", ".join(of_project.order_by("slug").values_list("slug", flat=True)) or f"none; {adds}"
        raise InputError(f"project {project} has no {what} {name[:80]!r}; there are: {there}")
    revisions = DatasetRevision.objects.filter(dataset=dataset).select_related("dataset", "benchmark")
    found = (revisions if number is None else revisions.filter(number=number)).order_by("-number").first()
    if found is None:
        raise InputError(f"{what} {name[:80]!r} has no revision {number or 1}; it has {revisions.count()}")
    return found


def locked_dataset(project: Project, name: str, by: User | None, *, benchmark: str = "") -> Dataset:
    """The data set until the transaction's end; runs on it do not wait for that. `benchmark` says which one it is to hold.

    Raises InputError for a name like another's, and when it holds something else.
    """
    slug, name = slug_of(name, "data set"), plain_name(name, "the data set's name", LONGEST_NAME)
    made = {"name": name, "benchmark": benchmark}
    dataset, created = Dataset.objects.get_or_create(project=project, slug=slug, defaults=made)
    if created:
        events.record("dataset.create", dataset, team=project.team, actor=by, after={"name": dataset.name})
    elif name.casefold() not in (dataset.name.casefold(), dataset.slug):
        raise InputError(f"data set {name!r} would have the same address as {dataset.name!r}; choose another name")
    elif dataset.benchmark != benchmark:
        holds = f"the benchmark {dataset.benchmark}" if dataset.benchmark else "samples that were imported, and no benchmark"
        raise InputError(f"data set {dataset.name!r} holds {holds}; choose another name")
    return Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
