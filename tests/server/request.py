"""A request as it came in, kept for the test to look at."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Request:
    """One request. Header names are in lower case; `at` is `time.monotonic()` at its arrival.

    `status` is what was answered, and None while or when nothing was. `connection` counts the connections that the server accepted.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float
    connection: int
    status: int | None = None

    @property
    def is_json(self) -> bool:
        """Tell whether the content type is JSON: with a charset or as `…+json` too."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))

    def json(self) -> Any:
        """Parse the body as the service does: a byte order mark and broken UTF-8 pass, NaN and Infinity don't. Raises ValueError."""
        text = self.body.decode("utf-8-sig", errors="replace")
        try:
            return json.loads(text, parse_constant=_refuse_constant)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    @property
    def events(self) -> list[dict[str, Any]]:
        """Give the events in the body, as they were sent."""
        value = self.json()
        return value if isinstance(value, list) else [value]

    @property
    def key(self) -> str | None:
        """Give the API key, or None. A Bearer header (with a capital B) wins over X-API-Key, also when it is bad."""
        bearer = re.match(r"Bearer (.*)", self.headers.get("authorization", ""))
        return bearer[1] if bearer else self.headers.get("x-api-key")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
