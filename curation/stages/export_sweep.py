"""Exports whose process died while it streamed: nobody else would ever end them."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from curation.models import Export
from curation.models.exports import ExportState
from curation.stages import events

SILENCE = timedelta(minutes=30)  # after which an export is given up; a reader that takes so long for a block has gone away


def abort_silent() -> int:
    """Abort the exports that were not heard of for so long; how many. What was sent of them is not known."""
    with transaction.atomic():
        silent = Export.objects.streaming().filter(heard_at__lt=timezone.now() - SILENCE).select_related("iteration")
        found = list(silent.select_for_update(of=("self",), skip_locked=True))
        Export.objects.filter(pk__in=[export.pk for export in found]).update(state=ExportState.ABORTED, ended_at=timezone.now())
        for export in found:
            events.record("export.abort", export, run_id=export.iteration.run_id, why="nothing was heard of it any more")
    return len(found)
