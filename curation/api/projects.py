"""Projects, and what the operator has registered for their runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Query, Router, Schema, Status

from django.http import HttpRequest

from curation.access import project_of, team_of
from curation.api.paging import Page, Slice, newest_first
from curation.api.reading import Given
from curation.api.signing import me
from curation.models import Base, Engine, Project
from curation.stages import projects

router = Router()


class ProjectOut(Schema):
    id: int
    team: str
    slug: str
    name: str
    created_at: datetime

    @staticmethod
    def resolve_team(project: Project) -> str:
        return str(project.team.slug)


class NewProject(Given):
    name: str


class RegisteredOut(Schema):
    name: str
    created_at: datetime


class BaseOut(RegisteredOut):
    sha256: str


class EngineOut(RegisteredOut):
    kind: str


@router.get("/projects", response=Page[ProjectOut])
def list_projects(request: HttpRequest, by: Query[Slice]) -> Any:
    """The projects of one's teams, the newest first."""
    return newest_first(Project.objects.visible_to(me(request)).select_related("team"), by)


@router.post("/teams/{slug:team}/projects", response={201: ProjectOut})
def create_project(request: HttpRequest, team: str, given: NewProject) -> Any:
    """Engineers make projects."""
    return Status(201, projects.create_project(team_of(me(request), team), given.name, me(request)))


@router.get("/projects/{slug:team}/{slug:project}", response=ProjectOut)
def read_project(request: HttpRequest, team: str, project: str) -> Any:
    """A project by its address."""
    return project_of(me(request), team, project)


@router.get("/bases", response=list[BaseOut])
def list_bases(request: HttpRequest) -> Any:
    """The base models that a run may name."""
    return Base.objects.order_by("name")


@router.get("/engines", response=list[EngineOut])
def list_engines(request: HttpRequest) -> Any:
    """The engines that a run may name."""
    return Engine.objects.order_by("name")
