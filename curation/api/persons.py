"""A person as others of the team see them."""

from __future__ import annotations

from ninja import Schema

from curation.models import User


class Person(Schema):
    id: int
    name: str

    @staticmethod
    def resolve_name(user: User) -> str:
        return str(user)
