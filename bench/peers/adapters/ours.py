"""This package with its default settings: both events are on disk when the call returns, and are sent in the background."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

import whyops


class Peer:
    """A client whose files lie in a folder of this run."""

    def __init__(self, url: str) -> None:
        self._sdk = whyops.WhyOps(
            api_key="whyops_bench", agent_name="bench", analyse_base_url=url + "/api", proxy_base_url=url, home=os.environ["BENCH_HOME"]
        )

    def tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate."""
        return whyops.tool(function)

    async_tool = tool

    def trace(self) -> contextlib.AbstractContextManager[object]:
        """Open a trace."""
        return self._sdk.trace("bench-trace")

    def flush(self) -> None:
        """Wait until all is delivered."""
        self._sdk.flush_sync(60)
