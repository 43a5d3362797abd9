"""What may be registered of an engine is what the trainer's engines take."""

from __future__ import annotations

from curation.models.registry import ENGINE_OPTIONS
from trainer.engines.registry import OPTIONS


def test_registered_options_are_the_engines_own() -> None:
    registered = {kind.value: names - {"script"} for kind, names in ENGINE_OPTIONS.items()}
    assert registered == {kind: set(names) for kind, names in OPTIONS.items()}
