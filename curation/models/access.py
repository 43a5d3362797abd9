"""Ways in besides a password: invitations into a team, and API tokens. Of either only the sha256 is kept."""

from __future__ import annotations

from django.db import models

from curation.models.choices import one_of
from curation.models.people import Role, Team, User


class Invitation(models.Model):
    """A link that lets one person into a team with a role, once."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role.choices)
    note = models.CharField(max_length=120, blank=True)  # for whom, in the inviter's words
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [one_of("role", Role, "invitation")]


class Scope(models.TextChoices):
    """What a token may do at most, by the role that may do as much: the right is the lesser of scope and current role."""

    READ = "read"
    REVIEW = "review"
    RUN = "run"
    ADMIN = "admin"

    @property
    def role(self) -> Role:
        return Role(_ROLE_OF_SCOPE[self])


_ROLE_OF_SCOPE = {"read": "viewer", "review": "reviewer", "run": "engineer", "admin": "owner"}


class ApiToken(models.Model):
    """A person's token for the REST API; `hint` is its beginning, by which its owner knows it again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=8, choices=Scope.choices)
    hint = models.CharField(max_length=12)
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)  # to the minute
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [one_of("scope", Scope, "api_token")]

    def __str__(self) -> str:
        return self.name
