"""A CHECK constraint for every column whose values are a TextChoices."""

from __future__ import annotations

from django.db import models


def one_of(column: str, choices: type[models.TextChoices], table: str) -> models.CheckConstraint:
    """The database refuses a value of `column` that `choices` does not list."""
    return models.CheckConstraint(condition=models.Q(**{f"{column}__in": choices.values}), name=f"{table}_{column}_known")
