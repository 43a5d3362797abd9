"""docs/api.md lists every address, and the schema says of each what it is for."""

from __future__ import annotations

import re
from pathlib import Path

from curation.api.site import api

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "api.md"


def test_every_address_is_in_the_document_and_no_other() -> None:
    listed = re.findall(r"^\| `(GET|POST|PUT|PATCH|DELETE) (/\S*)` \| \S", DOCUMENT.read_text(), re.MULTILINE)
    paths = api.get_openapi_schema()["paths"]
    there = [(method.upper(), path.removeprefix("/api/v1")) for path, methods in paths.items() for method in methods]
    assert sorted(listed) == sorted(there)


def test_every_operation_says_what_it_does_by_a_name_of_its_own() -> None:
    found = [details for methods in api.get_openapi_schema()["paths"].values() for details in methods.values()]
    assert [details["operationId"] for details in found if not details.get("description")] == []
    names = [details["operationId"] for details in found]
    assert len(names) == len(set(names))
