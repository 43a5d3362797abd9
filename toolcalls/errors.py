"""Failures of toolcalls, by who must act."""

from __future__ import annotations


class InputError(ValueError):
    """What the user handed over cannot be used; the message says what is wrong, where, and what to do."""
