"""What may be registered of an engine is what the trainer's engines take."""

from __future__ import annotations

from dataclasses import fields

from curation.models.registry import ENGINE_OPTIONS
from trainer.engines.openai_options import Options
from trainer.engines.registry import OPTIONS


def test_registered_options_are_the_engines_own() -> None:
    registered = {kind.value: set(names) for kind, names in ENGINE_OPTIONS.items()}
    registered["scripted"].remove("script")  # these two are given as the model
    registered["openai"].remove("model")
    assert registered.pop("imported") == set()  # nothing of the trainer's: people bring its answers
    assert registered == {kind: set(names) for kind, names in OPTIONS.items()}


def test_the_registry_names_each_option_of_a_served_model() -> None:
    assert {one.name for one in fields(Options)} == OPTIONS["openai"]
