"""What the form that edits a truth builds its fields from: the tools' parameters in one dialect, and the truth as it is."""

from __future__ import annotations

import json
from typing import Any

from toolcalls.records import Sample
from toolcalls.schema import properties, required, tool_name
from toolcalls.wire import to_json

KINDS = {
    "string": "text", "str": "text", "integer": "integer", "int": "integer", "number": "number", "float": "number",
    "double": "number", "boolean": "boolean", "bool": "boolean",
}  # fmt: skip
# What else a schema says is written as JSON.


def truth_editor(sample: Sample) -> dict[str, Any]:
    """JSON for curation/assets/curation/truth.js. `truth` is None where it is the text."""
    return {
        "truth": None if sample.truth is None else [to_json(call) for call in sample.truth],
        "text": sample.truth_text or "" if sample.truth is None else "",
        "tools": [{"name": tool_name(tool), "parameters": _parameters(tool)} for tool in sample.tools],
    }


def _parameters(tool: Any) -> list[dict[str, Any]]:
    needed = required(tool)
    return [_parameter(name, schema, name in needed) for name, schema in properties(tool).items()]


def _parameter(name: str, schema: Any, needed: bool) -> dict[str, Any]:
    choices, kind, about = schema.get("enum"), schema.get("type"), schema.get("description")
    return {
        "name": name,
        "kind": KINDS.get(kind, "json") if isinstance(kind, str) else "json",
        "choices": choices if isinstance(choices, list) and choices else None,
        "required": needed,
        "about": about if isinstance(about, str) else "",
        "default": json.dumps(schema["default"], ensure_ascii=False) if "default" in schema else "",
    }
