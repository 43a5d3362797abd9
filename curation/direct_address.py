"""The database's address for a session of one's own, outside of Django's connections and their pool."""

from __future__ import annotations

from psycopg.conninfo import make_conninfo

from django.db import connection


def direct_address(application: str = "") -> str:
    """A connection string; its session notices within half a minute when the server's host is gone.

    `application` is the name by which pg_stat_activity shows it.
    """
    names = ("dbname", "user", "password", "host", "port")
    found = connection.get_connection_params()
    return make_conninfo(
        **{name: found[name] for name in names if name in found},
        **({"application_name": application} if application else {}),
        connect_timeout=5,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
    )
