"""What the operator has registered: base models and engines. Pages and commands name them; nobody types a path."""

from __future__ import annotations

from django.db import models

from curation.models.choices import one_of


class Base(models.Model):
    """A base model: a Hugging Face folder at `path`, relative to one of MODEL_ROOTS."""

    name = models.SlugField(unique=True, max_length=80)
    path = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)  # of its safetensors, in order of name
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class EngineKind(models.TextChoices):
    TRANSFORMERS = "transformers"
    VLLM = "vllm"
    OPENAI = "openai"  # a server that takes messages; its model is its own
    SCRIPTED = "scripted"
    IMPORTED = "imported"  # no program of ours: people import what was answered elsewhere


ENGINE_OPTIONS = {
    EngineKind.TRANSFORMERS: {"device", "kept", "rows", "tokens"},
    EngineKind.VLLM: {"kv_cache_bytes", "rows"},
    EngineKind.OPENAI: {
        "body",
        "concurrency",
        "key_env",
        "model",
        "n",
        "patience",
        "plain",
        "retries",
        "timeout",
        "token_limit",
        "url",
    },
    EngineKind.SCRIPTED: {"script"},  # the file of its answers
    EngineKind.IMPORTED: set(),
}


class Engine(models.Model):
    """A way to generate: a kind and its options (plain JSON for trainer.engines)."""

    name = models.SlugField(unique=True, max_length=80)
    kind = models.CharField(max_length=16, choices=EngineKind.choices)
    options = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [one_of("kind", EngineKind, "engine")]

    def __str__(self) -> str:
        return self.name

    @property
    def only_selects(self) -> bool:
        """Whether its model stays what it is, so that no run on it can ask what the run has trained."""
        return self.kind in (EngineKind.OPENAI, EngineKind.IMPORTED)
