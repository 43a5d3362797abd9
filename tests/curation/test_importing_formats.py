"""Importing: every form of data sets goes in, told apart row by row."""

from __future__ import annotations

import io
import json

import pytest

from curation.models import Project, RevisionEntry, User
from curation.stages import uploading
from curation.stages.importing import import_dataset
from curation.stages.previewing import preview
from tests.toolcalls.format_rows import ASKED, OSLO, ROME, ROWS
from toolcalls.wire import sample_from_json

pytestmark = [pytest.mark.db, pytest.mark.django_db]

MIXED = "\n".join(map(json.dumps, ROWS.values())).encode()


def test_one_file_may_hold_rows_of_every_format(project: Project) -> None:
    report = import_dataset(project, "mixed", io.BytesIO(MIXED))
    assert (report.rows, report.new + report.duplicates, report.skipped) == (len(ROWS), len(ROWS), 0)
    for entry in RevisionEntry.objects.filter(revision=report.revision).select_related("version"):
        stored = sample_from_json(entry.version.content)
        assert (stored.messages, stored.truth) == ((ASKED,), (ROME, OSLO))


def test_a_preview_names_the_format_of_each_row(project: Project, engineer: User) -> None:
    seen = preview(uploading.receive(project, "mixed", "mixed.jsonl", [MIXED], engineer))
    assert seen.formats == dict.fromkeys(ROWS, 1)
    assert (seen.usable, seen.calls) == (len(ROWS), len(ROWS))
