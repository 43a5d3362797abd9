"""Fixtures for tests that need more than Python: each names its tier, and CI says which tiers must not be skipped."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest


def require(tier: str, reason: str) -> NoReturn:
    """Skip the test, or fail it when WHETSTONE_REQUIRE (a comma-separated list of tiers, e.g. "data,db") names its tier."""
    if tier in (name.strip() for name in os.environ.get("WHETSTONE_REQUIRE", "").split(",")):
        pytest.fail(f"{tier} is required by WHETSTONE_REQUIRE: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def require_tier() -> Callable[[str, str], NoReturn]:
    """`require_tier(tier, reason)` skips the running test, or fails it where CI requires the tier."""
    return require


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of public data sets, which is not part of the repository."""
    path = os.environ.get("WHETSTONE_DATA")
    if not path:
        require("data", "WHETSTONE_DATA does not name the folder of public data sets")
    if not Path(path).is_dir():
        require("data", f"WHETSTONE_DATA names {path}, which is no folder")
    return Path(path)
