"""What the tests of other packages rely on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import redis

from django.contrib.auth import get_user_model


@pytest.mark.process
def test_process_sees_the_rows_and_the_queue_of_its_test(live_environ: dict[str, str], valkey: object) -> None:
    get_user_model().objects.create_user(email="owner@example.org", password="of no use")
    code = (
        "import django; django.setup(); from django.contrib.auth import get_user_model as users;"
        "from django.conf import settings; from curation.services.urls import client_url; import redis;"
        "client = redis.Redis.from_url(client_url(settings.REDIS_URL)); client.set('seen', 'yes'); client.close();"
        "print(users().objects.get().email)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, env=live_environ, capture_output=True, text=True)
    assert done.stdout == "owner@example.org\n"
    with redis.Redis.from_url(valkey.client_url) as client:
        assert client.get("seen") == b"yes"


def test_tests_never_use_the_databases_of_their_environment() -> None:
    assert "whetstone-" in os.environ["DATABASE_URL"]
    assert "whetstone-" in os.environ["REDIS_URL"]
