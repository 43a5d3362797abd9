"""Stores of both kinds, and files for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from curation.storage.store import Store

BLOCK = 1000  # bytes of one request


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store of either kind, with small blocks and short pauses."""
    root = str(tmp_path / "store") if request.param == "folder" else request.getfixturevalue("bucket")
    return Store(root, block=BLOCK, pause=0.01)


@pytest.fixture
def s3_store(bucket: str) -> Store:
    return Store(bucket, block=BLOCK, pause=0.01)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """`file("weights", 5000)`: a file of so many bytes that no other has."""

    def write(name: str, size: int = 3500) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((name * size).encode()[:size])
        return path

    return write
