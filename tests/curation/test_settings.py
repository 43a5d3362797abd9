"""Settings that the environment changes."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from django.test import Client

SETTINGS = Path(__file__).resolve().parents[2] / "curation" / "settings.py"
NAMES = ("SECURE_SSL_REDIRECT", "SECURE_PROXY_SSL_HEADER", "SECURE_HSTS_SECONDS", "SESSION_COOKIE_SECURE")


def read(monkeypatch: pytest.MonkeyPatch, site: str) -> dict[str, Any]:
    monkeypatch.delenv("SECURE", raising=False)
    monkeypatch.setenv("SITE_URL", site)
    found = runpy.run_path(str(SETTINGS))
    return {name: found[name] for name in NAMES}


def test_site_behind_tls_is_served_and_plain_http_is_redirected(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    for name, value in read(monkeypatch, "https://tools.example.org").items():
        setattr(settings, name, value)
    assert Client().get("/health/", headers={"X-Forwarded-Proto": "https"}).status_code == 200
    plain = Client().get("/health/")
    assert (plain.status_code, plain["Location"]) == (301, "https://testserver/health/")
    assert settings.SESSION_COOKIE_SECURE


def test_no_visitor_s_header_is_trusted_without_https(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, "http://127.0.0.1:8000") == {
        "SECURE_SSL_REDIRECT": False,
        "SECURE_PROXY_SSL_HEADER": None,
        "SECURE_HSTS_SECONDS": 0,
        "SESSION_COOKIE_SECURE": False,
    }


@pytest.mark.parametrize(("kept", "pooled", "age"), [("0", "0", 0), ("1", "0", None), ("1", "1", 0), ("0", "1", 0)])
def test_threads_keep_their_connections_where_asked_to_and_not_pooled(
    monkeypatch: pytest.MonkeyPatch, kept: str, pooled: str, age: int | None
) -> None:
    monkeypatch.setenv("DATABASE_KEPT", kept)
    monkeypatch.setenv("DATABASE_POOL", pooled)
    assert runpy.run_path(str(SETTINGS))["DATABASES"]["default"]["CONN_MAX_AGE"] == age


@pytest.mark.process
def test_a_new_installation_passes_django_s_checks(tmp_path: Path) -> None:
    environ = {**os.environ, "WHETSTONE_VAR": str(tmp_path / "var"), "SECRET_KEY": "x" * 60}
    words = [sys.executable, str(SETTINGS.parents[1] / "manage.py"), "check"]
    done = subprocess.run(words, check=False, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
