"""JSON that keeps the order of its keys."""

from __future__ import annotations

import json
from typing import Any

from psycopg.types.json import Json

from django.db import models


class OrderedJSONField(models.JSONField):
    """Postgres' json type, kept as it was written: jsonb would sort the keys, and prompts and targets show them in order.

    The type has no equality: no DISTINCT and no GROUP BY on such a column.
    """

    def db_type(self, connection: Any) -> str:
        return "json"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value if value is None or hasattr(value, "as_sql") else Json(value)
