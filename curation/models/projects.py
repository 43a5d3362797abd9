"""A project: the data sets and runs of one team that belong together."""

from __future__ import annotations

from django.db import models

from curation.models.people import Team, User


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: User) -> ProjectQuerySet:
        """Projects of the teams that the user is a member of."""
        return self.filter(team__memberships__user=user)


class Project(models.Model):
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=120)
    slug = models.SlugField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "slug"], name="project_slug_unique")]

    def __str__(self) -> str:
        return self.name
