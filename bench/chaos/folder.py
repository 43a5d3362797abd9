"""A folder of one's own for Postgres, Valkey, workers and all that they write."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OTHERS = ("DATABASE_URL", "REDIS_URL", "DATABASE_URL_FILE", "REDIS_URL_FILE", "ARTIFACTS_ROOT", "MODEL_ROOTS")


@contextmanager
def own_folder() -> Iterator[Path]:
    """The folder, which goes in the end. In the block Django is set up for it, and nothing else that the environment names."""
    with tempfile.TemporaryDirectory(prefix="whetstone-chaos-") as var:
        os.environ.update(WHETSTONE_VAR=var, DJANGO_SETTINGS_MODULE="curation.settings", LOG_LEVEL="WARNING")
        for name in _OTHERS:
            os.environ.pop(name, None)
        import django  # once its settings are in the environment

        django.setup()
        yield Path(var)
