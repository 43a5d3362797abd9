"""The API as the site's own web server gives it out: granian, asynchronous, with pooled connections."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.models import Run, User

pytestmark = [pytest.mark.db, pytest.mark.process, pytest.mark.django_db(transaction=True)]


def test_rows_are_streamed_and_a_file_is_taken(
    live_environ: dict[str, str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    by_token: Callable[..., Any],
    engineer: User,
    run: Run,
) -> None:
    live_environ["UPLOADS_ROOT"] = str(tmp_path / "uploads")
    web, headers = request.getfixturevalue("web"), by_token(engineer).headers

    def ask(address: str, data: bytes | None = None, **more: str) -> Any:
        return urllib.request.urlopen(urllib.request.Request(f"{web}/api/v1{address}", data, {**headers, **more}), timeout=20)

    with ask(f"/runs/{run.pk}/iterations/1/export/pool") as response:
        sent, export = response.read(), response.headers["Whetstone-Export"]
    with ask(f"/runs/{run.pk}/exports/{export}") as response:
        shown = json.load(response)
    assert (shown["state"], shown["rows"], shown["sha256"]) == ("complete", 8, hashlib.sha256(sent).hexdigest())
    address = "/projects/tools/weather/uploads?dataset=again"
    with ask(address, sent * 400, **{"Content-Type": "application/octet-stream"}) as response:
        assert (response.status, json.load(response)["bytes"]) == (201, len(sent) * 400)
