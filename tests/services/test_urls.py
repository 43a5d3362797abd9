"""The environment's servers win; the embedded ones' addresses are valid URLs for every client."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from curation.services.errors import ServiceError
from curation.services.paths import Paths
from curation.services.urls import client_url, database_url, redis_url

VAR = Path("/srv/whetstone")


def test_environment_wins_when_it_names_a_server() -> None:
    environ = {"DATABASE_URL": "postgresql://u:p@db/whetstone", "REDIS_URL": "redis://broker:6379/2"}
    assert database_url(environ, VAR) == "postgresql://u:p@db/whetstone"
    assert redis_url(environ, VAR) == "redis://broker:6379/2"


def test_embedded_sockets_serve_when_the_environment_is_silent_or_empty() -> None:
    sockets = str(Paths(VAR).sockets)
    for environ in ({}, {"DATABASE_URL": "", "REDIS_URL": ""}):
        assert conninfo_to_dict(database_url(environ, VAR)) == {"user": "curation", "dbname": "curation", "host": sockets}
        assert redis_url(environ, VAR) == f"redis+socket://{sockets}/valkey.sock?virtual_host=0"


def test_url_comes_from_a_file_when_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("postgresql://u:p@db/x\n")
    assert database_url({"DATABASE_URL_FILE": str(tmp_path / "secret")}, VAR) == "postgresql://u:p@db/x"
    with pytest.raises(ServiceError, match=r"REDIS_URL_FILE names .*missing"):
        redis_url({"REDIS_URL_FILE": str(tmp_path / "missing")}, VAR)


@pytest.mark.parametrize(
    ("given", "broker", "client"),
    [
        ("redis://h:1/0", "redis://h:1/0", "redis://h:1/0"),
        ("unix:///run/v.sock?db=3", "redis+socket:///run/v.sock?virtual_host=3", "unix:///run/v.sock?db=3"),
        ("redis+socket:///run/v.sock", "redis+socket:///run/v.sock", "unix:///run/v.sock?db=0"),
    ],
)
def test_redis_url_has_a_form_for_celery_and_one_for_the_client(given: str, broker: str, client: str) -> None:
    assert redis_url({"REDIS_URL": given}, VAR) == broker
    assert client_url(broker) == client
