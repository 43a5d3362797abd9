"""The migrations say what the models say."""

from __future__ import annotations

import pytest

from django.core.management import call_command


@pytest.mark.django_db
def test_no_migration_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("makemigrations", check=True, dry_run=True)  # exits where one is
    assert "No changes detected" in capsys.readouterr().out
