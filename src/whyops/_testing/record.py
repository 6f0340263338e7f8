"""Record all that happens in a block in memory, whatever clients are in use."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from .._client import WhyOps, open_clients
from .._wire.read import RecordedEvent
from ..events import Receipt
from .run import Run

runs: list[Run] = []
"""The runs that were begun since the plugin last forgot them: those of the test that runs."""

_SETTINGS_THAT_SEND = ("api_key", "sink", "outbox", "keep_local", "otlp")


class MemorySink:
    """A sink that keeps the lines it is given. A line whose key it has is taken and not kept again, as the service does."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._keys: set[tuple[str | None, str | None]] = set()

    def send(self, lines: Sequence[bytes]) -> Receipt:
        """Keep the lines."""
        for line in lines:
            event = RecordedEvent(json.loads(line))
            key = (event.trace_id, event.key)
            if key not in self._keys:
                self._keys.add(key)
                self.lines.append(line)
        return Receipt(stored=len(lines))

    def close(self) -> None:
        """Do nothing: what was kept stays readable."""

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events, in the order in which they came."""
        return [json.loads(line) for line in list(self.lines)]


class record:  # noqa: N801  (it reads as a verb: `with record() as run`)
    """Record what happens in a `with` or `async with` block in memory, and give it as a `Run`.

    All clients record there, the default one and those that your program made: nothing is sent, and nothing is stored. The block's tasks
    and threads count, and those that others start meanwhile; of two blocks at the same time in two tasks, each has its own. `settings` are
    those of `WhyOps`, such as `redact_keys`; the settings of your program's clients don't count in it.

    Raises:
        TypeError: A setting says where to send.
    """

    def __init__(self, agent_name: str = "test", **settings: Any) -> None:
        for name in _SETTINGS_THAT_SEND:
            if name in settings:
                raise TypeError(f"record() keeps everything in memory and takes no {name}.")
        self._sink = MemorySink()
        self._client = WhyOps(agent_name=agent_name, sink=self._sink, outbox="memory", **settings)
        self._run = Run(self._events)
        self._block = ExitStack()

    def __enter__(self) -> Run:
        self._block.enter_context(open_clients.in_place_of_all(self._client))
        runs.append(self._run)
        return self._run

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self._block.close()
        self._client.close_sync()

    async def __aenter__(self) -> Run:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self._block.close()
        await self._client.close()

    def _events(self) -> list[dict[str, Any]]:
        self._client.flush_sync()
        return self._sink.events
