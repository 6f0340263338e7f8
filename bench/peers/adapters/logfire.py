"""Logfire's SDK and its decorator, without its echo on the console, and with results recorded as the others do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import logfire


class Peer:
    """The SDK, configured to send to the stub."""

    def __init__(self, url: str) -> None:
        logfire.configure(
            token="pylf_v1_us_bench",  # noqa: S106 - the stub takes any
            send_to_logfire=True,
            console=False,
            service_name="bench",
            advanced=logfire.AdvancedOptions(base_url=url),
        )

    def tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate."""
        return logfire.instrument(record_return=True)(function)

    async_tool = tool

    def trace(self) -> contextlib.AbstractContextManager[object]:
        """Open a root span."""
        return logfire.span("agent")

    def flush(self) -> None:
        """Wait until all is delivered."""
        logfire.force_flush()
