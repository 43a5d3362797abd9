"""Failures of a stage, by who must act. What the user handed over and cannot be used is toolcalls' InputError."""

from __future__ import annotations

from toolcalls.errors import InputError

__all__ = ["InputError", "NotPermitted", "WrongState"]


class WrongState(Exception):
    """The thing is in a state that this operation does not start from, or another writer was first (HTTP 409)."""


class NotPermitted(Exception):
    """The person's role in the team does not cover the operation (HTTP 403)."""
