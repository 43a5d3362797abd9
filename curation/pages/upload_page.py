"""An upload: what its file holds, how far its import is, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curation.access import may
from curation.models import Dataset, Project, Role, Upload, User
from curation.models.uploads import UploadState
from curation.pages.project_tabs import ProjectTabs, project_tabs
from curation.pages.sample_card import SampleCard, sample_card
from curation.stages.errors import InputError
from curation.stages.people import slug_of
from curation.stages.previewing import Preview, preview
from curation.stages.uploading import ImportOptions, standing
from toolcalls.importing import FORMATS

LABELS = {
    "received": "to be imported",
    "importing": "importing",
    "done": "imported",
    "failed": "failed",
    "discarded": "discarded",
}


@dataclass(frozen=True, slots=True)
class UploadLine:
    """An upload as lists show it. One whose import died is shown as failed."""

    upload: Upload
    state: str
    label: str
    error: str


@dataclass(frozen=True, slots=True)
class Progress:
    rows: int
    share: int  # of the file's bytes, 0 to 100
    storing: bool  # all is read, and being written


@dataclass(frozen=True, slots=True)
class Beginning:
    """The preview, with its samples as cards."""

    preview: Preview
    cards: tuple[SampleCard, ...]


@dataclass(frozen=True, slots=True)
class UploadPage:
    line: UploadLine
    tabs: ProjectTabs
    project: Project
    progress: Progress | None
    report: Mapping[str, Any]
    beginning: Beginning | None
    no_preview: str  # why there is none
    dataset: Dataset | None  # the one that it adds a revision to
    options: ImportOptions
    formats: tuple[str, ...]
    may_import: bool
    may_run: bool  # whether to offer a run on what was imported


def upload_line(upload: Upload) -> UploadLine:
    state, error = standing(upload)
    return UploadLine(upload, state, LABELS[state], error)


def upload_page(upload: Upload, user: User, *, format: str = "auto") -> UploadPage:  # noqa: A002
    """The upload's project and team must be loaded. The file's beginning is read while it waits for its import."""
    line = upload_line(upload)
    waits = line.state in (UploadState.RECEIVED, UploadState.FAILED)
    beginning, problem = _beginning(upload, format) if waits else (None, "")
    dataset = Dataset.objects.filter(project=upload.project, slug=slug_of(upload.dataset, "data set")).first()
    engineer = may(user, upload.project.team_id, Role.ENGINEER)
    return UploadPage(
        line=line,
        tabs=project_tabs(upload.project, "datasets"),
        project=upload.project,
        progress=_progress(upload) if line.state == UploadState.IMPORTING else None,
        report=upload.report if line.state == UploadState.DONE else {},
        beginning=beginning,
        no_preview=problem,
        dataset=dataset,
        options=_options(upload, beginning, dataset),
        formats=("auto", *FORMATS),
        may_import=waits and engineer,
        may_run=engineer and line.state == UploadState.DONE,
    )


def _beginning(upload: Upload, kind: str) -> tuple[Beginning | None, str]:
    try:
        seen = preview(upload, kind)
    except InputError as error:
        return None, str(error)
    return Beginning(seen, tuple(map(sample_card, seen.samples))), ""


def _options(upload: Upload, beginning: Beginning | None, dataset: Dataset | None) -> ImportOptions:
    """Those of the last attempt; else what a run will need: something held out, by hash where the rows name no split."""
    if upload.options:
        return ImportOptions(**upload.options)
    if dataset is None and beginning is not None and _names_no_split(beginning.preview):
        return ImportOptions(heldout_share=0.1)
    return ImportOptions()


def _names_no_split(seen: Preview) -> bool:
    """Whether nothing in the file is held out: only rows of Whetstone's own form can say so, maybe beyond what was read."""
    return not seen.splits.get("heldout") and (seen.whole or "whetstone" not in seen.formats)


def _progress(upload: Upload) -> Progress:
    read = upload.report.get("read", 0)
    return Progress(upload.rows, min(100, 100 * read // upload.bytes), read >= upload.bytes)
