"""A data folder made once, so that not every test of a server waits for initdb."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from curation.services.paths import Paths
from curation.services.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def data_template() -> Iterator[Path]:
    """var/postgres/data of a server that was stopped in order."""
    folder = Path(tempfile.mkdtemp(prefix="whetstone-template-"))
    server = EmbeddedPostgres(Paths(folder), settings={"fsync": "off"})
    server.start()
    server.stop()
    yield server.paths.postgres_data
    shutil.rmtree(folder)
    shutil.rmtree(server.paths.sockets, ignore_errors=True)


@pytest.fixture
def with_data(data_template: Path) -> Callable[[Paths], Paths]:
    """Give a var folder a fresh, empty database."""

    def lay(paths: Paths) -> Paths:
        paths.prepare()
        shutil.copytree(data_template, paths.postgres_data)
        return paths

    return lay
