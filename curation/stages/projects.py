"""Projects: found by the address team/project, and made where that is asked for."""

from __future__ import annotations

from django.db import transaction

from curation.models import Project, Role, Team, User
from curation.stages import events
from curation.stages.errors import InputError
from curation.stages.naming import plain_name
from curation.stages.people import create_team, require, slug_of

LONGEST_NAME = 120  # letters of a project's name


@transaction.atomic
def create_project(team: Team, name: str, by: User | None) -> Project:
    """Engineers make projects. Raises InputError when the team has one of that name."""
    require(by, team, Role.ENGINEER)
    name = plain_name(name, "the project's name", LONGEST_NAME)
    slug = slug_of(name, "project")
    project, created = Project.objects.get_or_create(team=team, slug=slug, defaults={"name": name})
    if not created:
        raise InputError(f"project {team.slug}/{slug} exists; choose another name")
    events.record("project.create", project, team=team, actor=by, after={"name": project.name})
    return project


def find_project(address: str, by: User | None = None) -> Project:
    """The project at "team/project". Raises InputError when there is none, or none that `by` may see."""
    team, name = _parts(address)
    found = Project.objects.select_related("team") if by is None else Project.objects.visible_to(by).select_related("team")
    project = found.filter(team__slug=team, slug=name).first()
    if project is None:
        known = (
            ", ".join(f"{one.team.slug}/{one.slug}" for one in Project.objects.select_related("team")[:10]) if by is None else ""
        )
        raise InputError(f"no project {address!r}; {f'there are: {known}' if known else 'make it first'}")
    return project


@transaction.atomic
def find_or_create_project(address: str, by: User | None = None) -> Project:
    """The project at "team/project"; the team and the project are made where they are missing."""
    team_slug, name = _parts(address)
    team = Team.objects.filter(slug=team_slug).first() or create_team(team_slug, by)
    return Project.objects.filter(team=team, slug=name).select_related("team").first() or create_project(team, name, by)


def _parts(address: str) -> tuple[str, str]:
    parts = [slug_of(part, "team or project") for part in address.split("/")]
    if len(parts) != 2:
        raise InputError(f"project {address!r}: write it as team/project")
    return parts[0], parts[1]
