"""The arguments that say what a run is of, for the commands that begin one or estimate one."""

from __future__ import annotations

from typing import Any, NamedTuple, TypedDict

from django.core.management.base import CommandParser

from curation.management.command import assignments, find_run
from curation.models import Base, Benchmark, DatasetRevision, Engine, Project, Run
from curation.stages import benchmarks, datasets, projects
from curation.stages.errors import InputError
from toolcalls.settings import Settings, settings_from


class Chosen(NamedTuple):
    project: Project
    revision: DatasetRevision
    base: Base
    engine: Engine
    settings: Settings


class Besides(TypedDict):
    """What a run may have beside these, by the names that the stages take it by."""

    benchmarks: list[Benchmark]
    selected_by: list[Run]


class Several(NamedTuple):
    """The same with several bases, the first of which is the one that matters most."""

    project: Project
    revision: DatasetRevision
    bases: tuple[Base, ...]
    engine: Engine
    settings: Settings


def add_choices(parser: CommandParser, *, several_bases: bool = False) -> None:
    parser.add_argument("--project", required=True, metavar="TEAM/PROJECT")
    parser.add_argument("--dataset", required=True, metavar="NAME")
    parser.add_argument("--revision", type=int, metavar="NUMBER", help="of the data set; its last without this")
    many = {"action": "append"} if several_bases else {}
    more = "; may be given several times" if several_bases else ""
    parser.add_argument("--base", required=True, metavar="NAME", help=f"as registered with register_base{more}", **many)
    parser.add_argument("--engine", required=True, metavar="NAME", help="as registered with register_engine")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="choices",
        help="a setting, e.g. k=4 or training.learning_rate=2e-3; may be given several times",
    )  # fmt: skip


def add_besides(parser: CommandParser) -> None:
    parser.add_argument(
        "--selected-by", type=int, action="append", default=[], metavar="RUN",
        help="train on what this run's first iteration selected; several: on what they all did. Needs --set selection=off",
    )  # fmt: skip
    parser.add_argument(
        "--benchmark", action="append", default=[], metavar="NAME", dest="benchmarks",
        help="a data set of import_benchmark to evaluate every iteration on; may be given several times",
    )  # fmt: skip


def besides(project: Project, options: dict[str, Any]) -> Besides:
    """Raises InputError for what is not there."""
    return {
        "benchmarks": [benchmarks.named(project, name) for name in options["benchmarks"]],
        "selected_by": [find_run(number) for number in options["selected_by"]],
    }


def chosen(options: dict[str, Any]) -> Chosen:
    """Raises InputError for what is not there."""
    several = chosen_of_several({**options, "base": [options["base"]]})
    return Chosen(several.project, several.revision, several.bases[0], several.engine, several.settings)


def chosen_of_several(options: dict[str, Any]) -> Several:
    """The same where --base may be given several times."""
    settings = settings_from(assignments(options["choices"], "--set"))
    project = projects.find_project(options["project"])
    revision = datasets.named(project, options["dataset"], options["revision"])
    bases = tuple(_named(Base, name) for name in options["base"])
    return Several(project, revision, bases, _named(Engine, options["engine"]), settings)


def _named(kind: type[Base] | type[Engine], name: str) -> Any:
    found = kind.objects.filter(name=name).first()
    if found is None:
        what = kind.__name__.lower()
        there = ", ".join(kind.objects.order_by("name").values_list("name", flat=True)[:20]) or f"none; register_{what} adds one"
        raise InputError(f"{what} {name!r} is not registered; there are: {there}")
    return found
