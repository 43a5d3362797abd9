"""What an export held and where it came from: enough to make it again, and to know whether it is the same."""

from __future__ import annotations

from typing import Any

import curation
from curation.models import Export, TrainingSet
from curation.models.exports import ExportKind
from curation.stages import artifacts
from curation.stages.pool import comparator_of
from toolcalls.exporting import templates_sha256


def manifest_of(export: Export) -> dict[str, Any]:
    """The manifest of an export as it ended: counts and sha256 are those of the bytes that were given out."""
    return {
        "export": export.pk,
        "kind": str(export.kind),
        "format": export.format,
        "state": str(export.state),
        "sha256": export.sha256,
        "bytes": export.bytes,
        "rows": export.rows,
        "filters": export.filters,
        **_of_training_set(export),
        **_source(export),
    }


def _of_training_set(export: Export) -> dict[str, Any]:
    if export.kind != ExportKind.TRAINING_SET:
        return {}
    frozen = TrainingSet.objects.get(iteration=export.iteration)
    return {
        "direct": frozen.direct,
        "refine": frozen.refine,
        "too_long": frozen.too_long,  # of these rows the trainer left out; null before training
        "training_set_sha256": frozen.sha256,
    }


def _source(export: Export) -> dict[str, Any]:
    run, settings = export.iteration.run, export.iteration.run.choices
    sampled_by = artifacts.sampling_checkpoint(export.iteration)
    return {
        "run": run.pk,
        "iteration": export.iteration.number,
        "dataset": run.dataset.slug,
        "revision": run.revision.number,
        "revision_sha256": run.revision.sha256,
        "base": run.base.name,
        "base_sha256": run.base.sha256,
        "sampled_by_sha256": run.base.sha256 if sampled_by is None else sampled_by.sha256,
        "seed": settings.seed,
        "comparator": comparator_of(settings).version,
        "prompts": {"mode": settings.prompts, "templates_sha256": templates_sha256()},
        "program": curation.__version__,
        "settings": run.settings,
    }
