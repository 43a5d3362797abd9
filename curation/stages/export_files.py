"""An export into a file with its manifest beside it, both complete or not there, or as lines for standard output."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from curation.models import Export
from curation.stages import drafts
from curation.stages.exporting import stream

Progress = Callable[[int], None]


def write_lines(export: Export) -> Iterator[str]:
    """One line per row, without the newline; a block of rows is held at a time."""
    with closing(stream(export)) as blocks:
        for block in blocks:
            yield from block.decode().removesuffix("\n").split("\n")


def write_file(export: Export, path: Path, on_progress: Progress | None = None) -> dict[str, Any]:
    """Write an export to `path` and its manifest, which is returned, to NAME.manifest.json beside it; what stood there is
    replaced once both are complete. Raises InputError, with nothing left behind, when they cannot be written."""
    beside = path.with_name(path.name + ".manifest.json")
    lines, manifest = drafts.draft_of(path), drafts.draft_of(beside)
    try:
        _write_blocks(export, lines, on_progress)
        content: dict[str, Any] = {"file": path.name, **export.manifest}
        with manifest.open("xb") as file:
            file.write(json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")
            drafts.flush(file)
        lines.replace(path)
        manifest.replace(beside)
    except OSError as error:
        raise drafts.unwritable(path, error) from error
    finally:
        drafts.remove(lines)
        drafts.remove(manifest)
    return content


def _write_blocks(export: Export, draft: Path, on_progress: Progress | None) -> None:
    with closing(stream(export)) as blocks, draft.open("xb") as file:
        for block in blocks:
            file.write(block)
            if on_progress:
                on_progress(blocks.rows)
        drafts.flush(file)
