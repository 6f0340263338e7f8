"""Langfuse's SDK and its decorator."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from langfuse import Langfuse, observe


class Peer:
    """A client."""

    def __init__(self, url: str) -> None:
        self._client = Langfuse(public_key="pk-lf-bench", secret_key="sk-lf-bench", base_url=url)  # noqa: S106 - the stub takes any

    def tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate."""
        return observe(as_type="tool")(function)

    async_tool = tool

    def trace(self) -> contextlib.AbstractContextManager[object]:
        """Open a root span."""
        return self._client.start_as_current_observation(name="agent", as_type="span")

    def flush(self) -> None:
        """Wait until all is delivered."""
        self._client.flush()
