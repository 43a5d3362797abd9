"""What roles and scopes may do, in words for the pages."""

from __future__ import annotations

from dataclasses import dataclass

from curation.models import Role, Scope

MAY = {
    Role.OWNER: "does everything, and looks after the members",
    Role.ENGINEER: "imports data, starts runs, approves training, and reviews",
    Role.REVIEWER: "sees everything and decides about samples",
    Role.VIEWER: "sees everything and changes nothing",
}
SCOPE_MAY = {
    Scope.READ: "read and export",
    Scope.REVIEW: "read, and decide about samples",
    Scope.RUN: "review, import data and drive runs",
    Scope.ADMIN: "all that you may, members included",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select."""

    value: str
    label: str
    may: str


ROLES = tuple(Choice(role.value, role.label, MAY[role]) for role in reversed(Role))
SCOPES = tuple(Choice(scope.value, scope.label, SCOPE_MAY[scope]) for scope in list(Scope))
