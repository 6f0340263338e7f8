"""LangSmith's SDK and its decorator."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from langsmith import Client, traceable
from langsmith import trace as root_run


class Peer:
    """A client, with tracing switched on."""

    def __init__(self, url: str) -> None:
        os.environ["LANGSMITH_TRACING"] = "true"
        self._client = Client(api_url=url, api_key="lsv2_pt_bench")

    def tool(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate."""
        return traceable(run_type="tool", client=self._client)(function)

    async_tool = tool

    def trace(self) -> contextlib.AbstractContextManager[object]:
        """Open a root run."""
        return root_run("agent", client=self._client)

    def flush(self) -> None:
        """Wait until all is delivered."""
        self._client.flush()
