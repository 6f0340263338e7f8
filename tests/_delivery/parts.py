"""What the tests of delivery share: lines, sinks that can be told to fail, and a clock that stands still."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from whyops._delivery.delivery import Delivery
from whyops._delivery.pace import Pace
from whyops._outbox.destination import Destination
from whyops._runtime.clock import Clock
from whyops._service.sink import HttpSink
from whyops.events import BatchRejected, Receipt, RetryLater

HERE = Destination("http://service.test", "agent", "0123456789ab")
NONCE = "00112233445566ff"
QUICK = Pace(linger=0.2, quiet=0.02, backoff=0.02, longest_backoff=0.1)
"""How long is waited is not what most tests look at."""


def line(key: object, trace: str = "t", size: int = 0, **fields: object) -> bytes:
    """Make an event line that the service takes, told from others by its key."""
    event = {"traceId": trace, "agentName": "agent", "eventType": "error", "idempotencyKey": f"{key}"}
    event |= {"content": {"message": f"no {key} " + "x" * size}, "metadata": {}, **fields}
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def lines(count: int, trace: str = "t") -> list[bytes]:
    return [line(index, trace) for index in range(count)]


def key(text: bytes) -> str:
    """Give the key of a line."""
    return str(json.loads(text)["idempotencyKey"])


def keys(of: Sequence[bytes]) -> list[str]:
    return [key(text) for text in of]


class ListSink:
    """Keeps what it is given, once per key. `answer` may raise, or return a receipt of its own."""

    def __init__(self, answer: Callable[[Sequence[bytes]], Receipt | None] = lambda _: None) -> None:
        self.answer = answer
        self.calls: list[list[bytes]] = []
        self.stored: dict[str, bytes] = {}
        self.closed = 0
        self.threads: set[int] = set()
        self.busy = threading.Lock()

    def send(self, batch: Sequence[bytes]) -> Receipt:
        assert self.busy.acquire(blocking=False), "two requests at once"
        try:
            self.calls.append(list(batch))
            self.threads.add(threading.get_ident())
            receipt = self.answer(batch)
            if receipt is None:
                self.store(batch)
                receipt = Receipt(stored=len(batch))
            return receipt
        finally:
            self.busy.release()

    def store(self, batch: Sequence[bytes]) -> None:
        for text in batch:
            self.stored.setdefault(key(text), text)

    def close(self) -> None:
        self.closed += 1


def refusing(*bad: object, passing: bool = False, sink: list[ListSink] | None = None) -> Callable[[Sequence[bytes]], None]:
    """Refuse what holds one of these keys; with `sink`, its neighbours are stored, as the service does."""

    def answer(batch: Sequence[bytes]) -> None:
        refused = {str(name) for name in bad}
        if refused & set(keys(batch)):
            if sink:
                sink[0].store([text for text in batch if key(text) not in refused])
            raise BatchRejected("400 it is bad", perhaps_passing=passing)

    return answer


def failing(times: int | None, error: Callable[[], Exception] = lambda: RetryLater("down")) -> Callable[[Sequence[bytes]], None]:
    """Fail so many times, or always."""
    count = itertools.count(1)

    def answer(_: Sequence[bytes]) -> None:
        if times is None or next(count) <= times:
            raise error()

    return answer


def delivery(sink: Any, home: Path | None, **options: Any) -> Delivery:
    """Make a delivery to a sink, or to whatever a function makes."""
    make = sink if callable(sink) else lambda: sink
    given = {"home": home, "process_nonce": options.pop("nonce", lambda: NONCE), "pace": QUICK, **options}
    return Delivery(given.pop("destination", HERE), make, **given)


def http_sink(server: Any, **options: Any) -> HttpSink:
    """Make the sink that sends to a strict server."""
    given = {"analyse_base_url": server.url, "proxy_base_url": server.proxy_url, "api_key": "whyops_test", "agent_name": "agent"}
    return HttpSink(**{**given, "agent_metadata": None, **options})


def outbox_files(home: Path) -> list[Path]:
    return sorted(home.glob("outbox/*/*.lines"))


class HandClock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.now)
