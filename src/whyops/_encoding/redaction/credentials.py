"""The secrets of a server that events are sent to: what its address and the headers for it hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote, urlsplit

from .secret_names import SecretNames, Verdict

_LEAST_KEY = 16
"""So long a value with letters and digits is taken for a key, whatever its header is called; shorter ones name projects."""


def credentials(address: str | None, headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the secrets, as they are written and as they are meant: passwords, and the values of headers and parameters that hide one."""
    parts = urlsplit(address or "")
    names = SecretNames()
    named = [*headers, *parse_qsl(parts.query, keep_blank_values=True)]
    held = [value for name, value in named if names.verdict(name) is not Verdict.CLEAN or _is_like_a_key(value)]
    schemeless = [value.partition(" ")[2] for value in held if " " in value]
    passwords = [parts.password, unquote(parts.password)] if parts.password else []
    return tuple(filter(None, dict.fromkeys([*passwords, *held, *schemeless])))


def _is_like_a_key(value: str) -> bool:
    is_mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return len(value) >= _LEAST_KEY and is_mixed and " " not in value
