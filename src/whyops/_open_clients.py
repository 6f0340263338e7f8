"""Which clients are open in this process: those that it made, and those that came in pickles from others."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import FrameType
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ._config import environment
from ._config.origin import Origin
from ._runtime.forks import Living

if TYPE_CHECKING:
    from ._config.settings import Settings


class Client(Protocol):
    """What is asked of a client here."""

    _origin: Origin
    _given: Settings | None

    @property
    def is_open(self) -> bool:
        """Whether it was not closed."""
        ...


C = TypeVar("C", bound=Client)

_WAITING_IN = ("threading.py", "queue.py", f"concurrent{os.sep}futures{os.sep}thread.py")
"""Where the threads of a pool are while they wait."""


class OpenClients(Generic[C]):
    """Refers weakly to the clients that are in use. `lock` is held while the default one is chosen or made."""

    def __init__(self) -> None:
        self._instead: ContextVar[C | None] = ContextVar("whyops_client", default=None)
        self._instead_everywhere: list[tuple[C, Container[threading.Thread]]] = []
        self._open: Living[C] = Living()
        self._arrived: dict[bytes, C] = {}  # by their settings: what comes with the same ones shares a client
        self.renew()

    def renew(self) -> None:
        """Make the lock anew, for a child of which no other thread holds it. Reentrant: a `__del__` may record, and so use a client."""
        self.lock = threading.RLock()

    def instead(self) -> C | None:
        """Return the client that records in place of all others here, if there is one."""
        here = self._instead.get()
        if here is not None or not self._instead_everywhere:
            return here
        client, busy_before = self._instead_everywhere[-1]
        return None if threading.current_thread() in busy_before else client

    def is_instead(self, client: C) -> bool:
        """Tell whether a client records in place of others: it is nobody's default one by itself."""
        return any(client is other for other, _ in self._instead_everywhere)

    @contextmanager
    def in_place_of_all(self, client: C) -> Iterator[None]:
        """Let a client record in place of all others: in this context, and elsewhere while it is the last that was said to.

        A thread that is at work already, as one that an earlier test left behind, is not among these.
        """
        entry = client, _busy_threads()
        self._instead_everywhere.append(entry)
        token = self._instead.set(client)
        try:
            yield
        finally:
            self._instead_everywhere.remove(entry)
            with suppress(ValueError):  # it may be left in another context, as a fixture is: there nothing was set
                self._instead.reset(token)

    def add(self, client: C) -> None:
        """Count a client among the open ones."""
        with self.lock:
            self._open.add(client)
            self.tell_children()

    def made_and_arrived(self) -> tuple[list[C], list[C]]:
        """Return the open clients: those that this process made, and those that came in pickles."""
        arrived = [client for client in list(self._arrived.values()) if client.is_open]
        with self.lock:
            return [client for client in self._open.all() if client.is_open and client not in arrived], arrived

    def of_pickle(self, token: str, settings: bytes, make: Callable[[Origin], C]) -> C:
        """Return the client of a pickle: in the process that made it that very one, elsewhere one with its settings."""
        with self.lock:  # threads that load equal pickles at once get one client
            origin = Origin.of(token)
            if origin is not None:
                same = (client for client in self._open.all() if client._origin is origin)  # noqa: SLF001  (as the protocol says)
                return next(same, None) or make(origin)
            if settings not in self._arrived:
                self._arrived[settings] = make(Origin.unpacked(settings))
            return self._arrived[settings]

    def tell_children(self) -> None:
        """Set the environment so that child processes that are not forked record no more than the open clients here."""
        with self.lock:
            given = [client._given for client in self._open.all() if client.is_open and client._given is not None]  # noqa: SLF001  (as above)
            environment.tell_children(
                without_content=any(each.capture_content is False for each in given),
                redact_keys=[key for each in given for key in each.redact_keys],
                redacts=any(each.redact is not None or each.sink is not None for each in given),
            )


def _busy_threads() -> weakref.WeakSet[threading.Thread]:
    """Return the other threads that are at work; one of a pool that waits for work is not."""
    frames = sys._current_frames()  # noqa: SLF001  (its documented name)
    frames.pop(threading.get_ident(), None)
    return weakref.WeakSet(thread for thread in threading.enumerate() if _is_busy(frames.get(thread.ident or 0)))


def _is_busy(frame: FrameType | None) -> bool:
    while frame is not None:
        if not frame.f_code.co_filename.endswith(_WAITING_IN):
            return True
        frame = frame.f_back
    return False
