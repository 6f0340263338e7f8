"""The service on a loopback port, in the test's own process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from .answer import INTERNAL_ERROR, Answer, Raw
from .connection import Listener
from .faults import Fault, Faults
from .journal import Journal
from .request import Request
from .routes import Keys, answer
from .service import USUAL_LIMITS, Event, Limits, Service, Spoiled

_EVENTS = frozenset([("POST", "/api/events"), ("POST", "/api/events/ingest")])


class StrictServer(Faults):
    """The service, listening. Starts and stops with its `with` block; `stop` and `start` in between keep port and state.

    `accounts` names the good keys and the account of each; without it each key of the right shape is an account of its own. With `queue`
    events are answered 202. A connection idle for `keep_alive` seconds is closed. `journal` is a folder to write events and requests to.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        accounts: dict[str, str] | None = None,
        limits: Limits = USUAL_LIMITS,
        queue: bool = False,
        keep_alive: float = 5.0,
        journal: Path | None = None,
    ) -> None:
        super().__init__()
        self.port = port
        self.requests: list[Request] = []
        self.keys = Keys(accounts)
        self._journal = Journal(journal) if journal is not None else None
        self.service = Service(limits=limits, queue=queue, stored=self._journal.stored if self._journal else None)
        self._keep_alive = keep_alive
        self._listener: Listener | None = None
        self._accepted = 0
        self._lock = threading.Lock()

    def __enter__(self) -> StrictServer:  # noqa: PYI034 - `Self` is not in Python 3.10
        """Start listening."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Stop, and let go of what hangs."""
        self.clear()
        self.stop()

    @property
    def origin(self) -> str:
        """Give scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Give the base URL of the analyse service."""
        return f"{self.origin}/api"

    @property
    def proxy_url(self) -> str:
        """Give the base URL of the proxy."""
        return self.origin

    @property
    def events(self) -> list[Event]:
        """Give the stored events as they were sent, in the order in which they were stored."""
        return list(self.service.events)

    def events_of(self, trace_id: str) -> list[Event]:
        """Give the stored events of one trace."""
        return [event for event in self.events if event["traceId"] == trace_id]

    @property
    def ingested(self) -> list[Request]:
        """Give the requests that brought events, whatever was answered."""
        return [request for request in self.requests if (request.method, request.path) in _EVENTS]

    @property
    def inits(self) -> list[Request]:
        """Give the requests to initialise an agent, whatever was answered."""
        return [request for request in self.requests if request.path.endswith("/init")]

    @property
    def connections(self) -> int:
        """Count the connections accepted so far."""
        return self._listener.accepted if self._listener is not None else self._accepted

    def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._listener = Listener(self.port, self._keep_alive, self._respond, self._accepted)
        self.port = self._listener.server_port
        threading.Thread(target=self._listener.serve_forever, args=(0.02,), name="strict-server", daemon=True).start()

    def stop(self) -> None:
        """Drop all connections and refuse new ones. What is stored stays."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self._accepted = listener.accepted
            self.release()
            listener.close()

    def away(self, seconds: float) -> None:
        """Refuse connections for so long; returns at once."""
        self.stop()
        timer = threading.Timer(seconds, self.start)
        timer.daemon = True
        timer.start()

    def spoil(self, matches: Callable[[Event], bool], status: int = 500, body: object = None) -> None:
        """Refuse the events that match, while their neighbours are stored. In force until `service.spoiled` is cleared."""
        refusal = INTERNAL_ERROR if status == 500 and body is None else Answer(status, body or {"success": False, "error": "Spoiled"})
        self.service.spoiled.append(Spoiled(matches, refusal))

    def wait_until(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:
        """Wait until `condition` holds; raises AssertionError after `timeout` seconds."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"not so within {timeout} s; {len(self.service.events)} events are stored")
            time.sleep(0.005)

    def wait_for_events(self, count: int, timeout: float = 10.0) -> list[Event]:
        """Wait until at least `count` events are stored, and give all that are."""
        self.wait_until(lambda: len(self.service.events) >= count, timeout)
        return self.events

    def answer(self, request: Request) -> Answer:
        """Answer a request that meets no fault."""
        return answer(self.service, self.keys, request)

    def _respond(self, request: Request) -> Answer | Raw | None:
        with self._lock:
            self.requests.append(request)
        given = self._meet(self.take(request), request)
        request.status = given.status if given is not None else None
        if self._journal is not None:
            with self._lock:
                self._journal.asked(request)
        return given

    def _meet(self, fault: Fault | None, request: Request) -> Answer | Raw | None:
        """Do what is asked, as far as the fault lets it."""
        if fault is None:
            given = self.answer(request)
            self._take_time(request)
            return given
        own = self.answer(request) if fault.store else None
        hung = fault.wait is None
        fault.released.wait(fault.wait)
        return None if hung else own if fault.own_answer else fault.answer

    def _take_time(self, request: Request) -> None:
        seconds = self.latency
        if self.latency_per_event and request.method == "POST" and request.path.startswith("/api/events"):
            seconds += self.latency_per_event * max(0, len(request.events) - self.quick_events)
        if seconds:
            time.sleep(seconds)
