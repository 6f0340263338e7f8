"""What a test has scripted to go wrong. Each request meets at most one fault: the oldest that fits and is not used up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from .answer import Answer, Raw
from .request import Request


@dataclass
class Fault:
    """One thing that goes wrong. `times` counts down to 0, `until` is a `time.monotonic()`; None is no end.

    The request is answered with `answer`, or without one the connection is cut. With `store` the service does its part first, as where
    an answer is lost on its way. `wait` seconds pass before that; None waits until `Faults.clear` or the end of the server.
    """

    matches: Callable[[Request], bool]
    answer: Answer | Raw | None = None
    store: bool = False
    wait: float | None = 0.0
    own_answer: bool = False
    times: int | None = 1
    until: float | None = None
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Tell whether no further request meets this fault."""
        return self.times == 0 or (self.until is not None and time.monotonic() >= self.until)


class Faults:
    """The script. `times=None` goes on until `clear`; `seconds` ends a fault after that time, instead of after one request."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self.latency = 0.0
        """Seconds that each answer takes."""
        self.latency_per_event = 0.0
        """Seconds that each answer takes for each event in its request beyond the first `quick_events`."""
        self.quick_events = 0
        self.max_body: int | None = None
        """Greatest body in bytes; a larger one is answered 413."""

    def fail(
        self,
        status: int,
        *,
        times: int | None = 1,
        seconds: float | None = None,
        path: str | None = None,
        retry_after: float | None = None,
        retry_after_date: float | None = None,
        body: object = None,
        store: bool = False,
    ) -> None:
        """Answer with `status`. `retry_after` is sent in seconds, `retry_after_date` as the date that is so many seconds from now.

        With `store` the events are kept all the same. `path` limits the fault to one path, say `/api/entities/init`.
        """
        headers = {}
        if retry_after is not None:
            headers["Retry-After"] = f"{retry_after:g}"
        if retry_after_date is not None:
            headers["Retry-After"] = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=retry_after_date), usegmt=True)
        answer = Answer(status, body if body is not None else {"success": False, "error": f"Scripted {status}"}, headers)
        self._add(Fault(_on(path), answer, store=store), times, seconds)

    def cut(self, *, times: int | None = 1, seconds: float | None = None, path: str | None = None, store: bool = False) -> None:
        """Close the connection instead of answering. With `store` the events are kept: the answer got lost."""
        self._add(Fault(_on(path), store=store), times, seconds)

    def hang(self, *, times: int | None = None, seconds: float | None = None, path: str | None = None, store: bool = False) -> None:
        """Take the request and never answer it."""
        self._add(Fault(_on(path), store=store, wait=None), times, seconds)

    def slow(self, wait: float, *, times: int | None = 1, seconds: float | None = None, path: str | None = None) -> None:
        """Do what is asked at once, and answer `wait` seconds later: a client that gives up early finds all stored."""
        self._add(Fault(_on(path), store=True, wait=wait, own_answer=True), times, seconds)

    def pour(
        self,
        first: bytes,
        again: bytes = b"",
        *,
        pause: float = 0.0,
        times: int | None = 1,
        seconds: float | None = None,
        path: str | None = None,
        store: bool = False,
    ) -> None:
        """Answer with these bytes, whatever they are, and go on with `again`, each `pause` seconds, as long as the client listens."""
        self._add(Fault(_on(path), Raw(first, again, pause), store=store), times, seconds)

    def clear(self) -> None:
        """End all faults, latency and the limit of size; requests that hang are cut."""
        with self._lock:
            ended, self._faults = self._faults, []
        self.latency = self.latency_per_event = 0.0
        self.quick_events = 0
        self.max_body = None
        for fault in ended:
            fault.released.set()

    def release(self) -> None:
        """Let go of the requests that hang now; the faults stay."""
        with self._lock:
            for fault in self._faults:
                fault.released.set()
                fault.released = threading.Event()

    def take(self, request: Request) -> Fault | None:
        """Give the fault that `request` meets, and use it up by one."""
        if self.max_body is not None and len(request.body) > self.max_body:
            return Fault(_on(None), Answer(413, {"success": False, "error": "Payload too large"}))
        with self._lock:
            self._faults = [fault for fault in self._faults if not fault.is_over]
            for fault in self._faults:
                if fault.matches(request):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def _add(self, fault: Fault, times: int | None, seconds: float | None) -> None:
        fault.times = times if seconds is None else None
        fault.until = None if seconds is None else time.monotonic() + seconds
        with self._lock:
            self._faults.append(fault)


def _on(path: str | None) -> Callable[[Request], bool]:
    return lambda request: path is None or request.path == path
