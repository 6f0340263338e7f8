"""What a file's own words about itself say; whatever is damaged, or made to do damage, says nothing."""

from __future__ import annotations

import json

_MOST = 10**15


def object_in(data: bytes) -> dict[str, object]:
    """Return the JSON object that stands there, or an empty one."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def number_in(value: object) -> int:
    """Return the whole number that a value is or spells, from 0 to 15 digits; 0 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(_MOST)):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else 0


def texts_in(value: object) -> dict[str, str]:
    """Return an object's members as texts; of anything else, none."""
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}
