"""What the operator must act on."""

from __future__ import annotations


class StoreError(RuntimeError):
    """The store cannot be reached, or lacks what it should hold; the message says which, where, and what to do."""


class MissingFile(StoreError):
    """The store has no file of this content."""


class DamagedFile(StoreError):
    """What was read is not what was stored. It was thrown away; nobody gets to use it."""
