"""The function alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any


class Peer:
    """Sets nothing up, and records nothing."""

    def __init__(self, _url: str) -> None:
        pass

    def tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is."""
        return function

    async_tool = tool

    def trace(self) -> contextlib.AbstractContextManager[object]:
        """Open nothing."""
        return contextlib.nullcontext()

    def flush(self) -> None:
        """Wait for nothing."""
