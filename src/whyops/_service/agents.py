"""An agent's description, in the form that the service takes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from .._outbox.destination import digest

NOT_GIVEN = "Not given."
"""The system prompt of an agent that was described without one."""


def complete_metadata(metadata: Mapping[str, object] | None) -> dict[str, object]:
    """Fill in what the service requires and the user left out; schemas become JSON strings."""
    given = metadata or {}
    tools = given.get("tools")
    description = _text(given.get("description"))
    return {
        "systemPrompt": _text(given.get("systemPrompt")) or NOT_GIVEN,
        **({"description": description} if description else {}),
        "tools": [_complete_tool(tool) for tool in tools if isinstance(tool, Mapping)] if isinstance(tools, (list, tuple)) else [],
    }


def hash_metadata(metadata: Mapping[str, object] | None) -> str:
    """Return what tells descriptions apart: equal for two that the service would count as one version; empty for none."""
    if metadata is None:
        return ""
    return digest(json.dumps(complete_metadata(metadata), sort_keys=True).encode())[:16]


def _complete_tool(tool: Mapping[str, object]) -> dict[str, str]:
    name = _text(tool.get("name")) or "unnamed"
    return {
        "name": name,
        "description": _text(tool.get("description")) or name,
        "inputSchema": _schema(tool.get("inputSchema")),
        "outputSchema": _schema(tool.get("outputSchema")),
    }


def _schema(value: object) -> str:
    if value is None or value == "":
        return "{}"
    return _text(value if isinstance(value, str) else json.dumps(value, default=str))


def _text(value: object) -> str:
    """Return text that the service can store: neither NUL nor half a surrogate pair."""
    return "" if value is None else str(value).replace("\0", "").encode("utf-8", "replace").decode()
